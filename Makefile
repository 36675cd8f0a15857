# The front door. Everything is built by Meson; this file only spells the usual ways to call it.
#
#   make            build the program: build/kizunasr
#   make demo       install what the build needs, build, draw a sample, upscale it, verify it
#   make check      install what the tests need, build, run every test, twice (plain, sanitizers)
#   make onnxruntime  get ONNX Runtime, which runs .onnx models, into build-onnxruntime/
#   make test       run the tests on build/ as it is; TESTS=pattern picks some
#   make sanitize   build with the address and undefined-behaviour sanitizers, run every test
#   make threads    build with the thread sanitizer, run the tests that use several threads
#   make install    install what `make` built; PREFIX=/usr/local, DESTDIR=
#   make deb        build Debian packages: build-deb/*.deb
#   make bundle     build a folder that runs anywhere, with FFmpeg in it: build-bundle/kizunasr-*
#   make wheel      build that, and from it a Python wheel with the library: build-wheel/*.whl
#   make windows    build for Windows on Debian: build-windows/*.zip
#   make test-packages  build all packages and try them in bare systems; root, network, half an hour
#   make generate   make again what follows from the table of options, src/config/options.toml
#   make format     let clang-format lay out the C files
#   make clean      remove what the targets above made
#
# Variables: BUILD=build, PREFIX=/usr/local, MESON_OPTIONS= (given to the first `meson setup`).

BUILD = build
PREFIX = /usr/local
MESON = meson
MESON_OPTIONS =
TESTS =

CHECK = build-check
SANITIZE = build-sanitize
THREADS = build-threads
BUNDLE = build-bundle
DEMO = $(BUILD)/demo
PROGRAM = $(BUILD)/kizunasr

# What a newer FFmpeg declares out of date is a warning, not a mistake of ours.
TOLERATED = -Dc_args=-Wno-error=deprecated-declarations
# Half of the time of compiling with sanitizers goes to -O2 and to variables for a debugger. Checksums without Nettle
# are tested here.
SANITIZERS = -Doptimization=1 -Ddebug=false -Dnettle=disabled -Db_sanitize=address,undefined -Db_lundef=false \
    -Dc_args='-g1 -fno-sanitize-recover=all'

.PHONY: all demo check onnxruntime test sanitize install deb bundle wheel windows test-packages generate format \
    clean \
    $(PROGRAM)

all: $(PROGRAM)

# Ninja knows best what is out of date, so this always asks it.
$(PROGRAM): $(BUILD)/build.ninja
	@$(MESON) compile -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v $(MESON) >/dev/null || \
	    { echo "make: $(MESON) is not installed; tools/setup installs what is missing" >&2; exit 1; }
	@$(MESON) setup --prefix $(PREFIX) $(MESON_OPTIONS) $(BUILD)

demo:
	@tools/setup build
	@$(MAKE) --no-print-directory $(PROGRAM)
	@tools/demo $(BUILD) $(DEMO)

check:
	@tools/setup check
	@tools/onnxruntime
	@tools/configure $(CHECK) -Dwerror=true $(TOLERATED)
	@tools/configure $(SANITIZE) $(SANITIZERS)
	@$(MESON) compile -C $(CHECK)
	@$(MESON) compile -C $(SANITIZE)
	@tests/run $(CHECK) $(SANITIZE)

onnxruntime:
	@tools/onnxruntime

test: $(PROGRAM)
	@tests/run -k '$(TESTS)' $(BUILD)

sanitize:
	@tools/configure $(SANITIZE) $(SANITIZERS)
	@$(MESON) compile -C $(SANITIZE)
	@tests/run -k '$(TESTS)' $(SANITIZE)

threads:
	@tools/configure $(THREADS) --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
	@$(MESON) compile -C $(THREADS)
	@for test in pool background pipeline matrix; do tests/run -k $$test $(THREADS) || exit 1; done

# A prefix given here counts even if the build folder was set up with another one.
install: $(BUILD)/build.ninja
ifneq ($(origin PREFIX),file)
	@$(MESON) configure --prefix $(PREFIX) $(BUILD)
endif
	@$(MESON) compile -C $(BUILD)
	@$(MESON) install -C $(BUILD) --no-rebuild
# Not all versions of meson tell the loader of the library.
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then PATH="$$PATH:/usr/sbin:/sbin" ldconfig || true; fi

deb:
	@packaging/deb build-deb

bundle:
	@tools/configure $(BUNDLE) --prefix /usr/local -Drun_in_place=false -Dvapoursynth=disabled -Dtests=false
	@$(MESON) compile -C $(BUNDLE)
	@packaging/bundle $(BUNDLE)

wheel: bundle
	@packaging/wheel $(BUNDLE)/kizunasr-*-linux-* build-wheel

windows:
	@tools/windows
	@packaging/windows build-windows

test-packages:
	@packaging/test

# The program prints the schema, so it is built in between.
generate:
	@tools/generate-options
	@$(MAKE) --no-print-directory $(PROGRAM)
	@$(PROGRAM) config --schema > $(BUILD)/config.schema.json
	@cp $(BUILD)/config.schema.json docs/config.schema.json

format:
	@find include src cli tools tests bench examples plugins -name '*.[ch]' 2>/dev/null | \
	    xargs clang-format -i --style=file

clean:
	rm -rf $(BUILD) $(CHECK) $(SANITIZE) $(THREADS) $(BUNDLE) build-deb build-wheel build-windows
