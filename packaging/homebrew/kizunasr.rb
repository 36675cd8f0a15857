# A formula for Homebrew on macOS. Untested: nobody has built KizunaSR there.
#
# Set HOMEBREW_KIZUNASR_SOURCE to the Git repository, then: brew install --HEAD --build-from-source ./kizunasr.rb
class Kizunasr < Formula
  desc "Offline video upscaler for anime"
  version "0.1.0"
  license "MIT"
  head ENV.fetch("HOMEBREW_KIZUNASR_SOURCE"), using: :git

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "ffmpeg"
  depends_on "jansson"
  depends_on "nettle"
  depends_on "xxhash"

  def install
    system "meson", "setup", "build", "-Drun_in_place=false", "-Dtests=false", "-Dvulkan=disabled",
           "-Dvapoursynth=disabled", *std_meson_args
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
  end

  test do
    assert_match "kizunasr", shell_output("#{bin}/kizunasr --version")
  end
end
