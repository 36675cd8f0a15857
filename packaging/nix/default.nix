# An expression for Nix: nix-build packaging/nix. Untested: nobody has built it there.
{ pkgs ? import <nixpkgs> { } }:

pkgs.stdenv.mkDerivation {
  pname = "kizunasr";
  version = "0.1.0";
  src = pkgs.lib.cleanSource ../..;

  nativeBuildInputs = with pkgs; [ glslang meson ninja pkg-config python3 ];
  buildInputs = with pkgs; [ ffmpeg jansson nettle volk vulkan-headers xxHash ];

  # The loader of Vulkan is opened by name when the program runs.
  mesonBuildType = "release";
  mesonFlags = [ "-Drun_in_place=false" "-Dtests=false" "-Dvapoursynth=disabled" ];
  postFixup = ''
    patchelf --add-rpath ${pkgs.lib.makeLibraryPath [ pkgs.vulkan-loader ]} $out/lib/libkizunasr.so.0
  '';

  meta = {
    description = "Offline video upscaler for anime";
    license = pkgs.lib.licenses.mit;
    mainProgram = "kizunasr";
    platforms = pkgs.lib.platforms.linux;
  };
}
