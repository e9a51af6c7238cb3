# The door. Meson and ninja do the work behind it; `make help` lists what there is.
MAKEFLAGS += --no-print-directory
BUILD ?= build
JOBS ?= $(shell nproc)
SECONDS_EACH ?= 600
PYTHON = python3
NINJA = ninja -j$(JOBS)
# Sanitizers and fuzzers find what they find only in code that they were built into.
ASAN = -Db_sanitize=address,undefined -Db_lundef=false
TSAN = -Db_sanitize=thread -Db_lundef=false

.PHONY: all build help setup run check check-all check-gdb check-lldb check-kvm check-stub arm64 check-arm64 bench fuzz sanitize asan tsan clang format tidy \
	install clean

all: build

help:
	@echo 'make run        install what is needed, build, and open the prompt on a sample program'
	@echo 'make check      install what is needed, build, and run the fast part of every kind of test'
	@echo 'make            build into build/'
	@echo 'make setup      install the Debian packages that building, running and testing need'
	@echo 'make check-all  every test (hours: it has GDB'"'"'s own test suite in it)'
	@echo 'make check-gdb  GDB'"'"'s own test suite against gdbserver and against trapline-gdbserver, with the difference'
	@echo 'make check-kvm  the virtual machine on a real KVM: this machine'"'"'s, or one that the tests bring'
	@echo 'make check-stub  the debug server inside a kernel: on bare metal of x86-64 and arm64, and in Debian'"'"'s Linux, in emulated machines'
	@echo 'make check-lldb lldb sessions against lldb-server and against trapline, with the difference'
	@echo 'make arm64      build for 64-bit Arm into build-arm64/, the server also as one static file'
	@echo 'make check-arm64  processes of 64-bit Arm, in a machine of its own (needs no such processor)'
	@echo 'make bench      the speed of servers, of prompts and of the emulated machine, side by side with those of others'
	@echo 'make fuzz       each fuzzer for SECONDS_EACH=$(SECONDS_EACH) seconds'
	@echo 'make sanitize   the fast tests with the address and undefined, then with the thread sanitizer'
	@echo 'make clang      build with clang and run the unit tests'
	@echo 'make format     let clang-format lay out all C files;  make tidy: clang-tidy'
	@echo 'make install    install (DESTDIR and meson'"'"'s prefix are obeyed);  make clean: remove what was built'

setup:
	@tools/setup

$(BUILD)/build.ninja:
	@tools/setup build
	meson setup $(BUILD)

build: $(BUILD)/build.ninja
	@$(NINJA) -C $(BUILD)

run:
	@tools/setup build run
	@$(MAKE) build
	@BUILD=$(BUILD) tools/run

check: setup
	@$(MAKE) build
	@$(PYTHON) tools/check.py --build $(BUILD)

check-all:
	@tools/setup build run test all
	@$(MAKE) build
	@$(PYTHON) tools/check.py --build $(BUILD) --all

check-gdb: setup
	@$(MAKE) build
	@$(PYTHON) tests/gdbsuite/run.py

check-lldb: setup
	@$(MAKE) build
	@$(PYTHON) tests/lldb/run.py

arm64: setup
	@$(PYTHON) tools/arm64.py >/dev/null
	@test -f build-arm64/build.ninja || meson setup build-arm64 --cross-file build-fetched/debian-arm64/sysroot.cross \
		--cross-file tools/arm64.cross -Dstatic_server=true
	@$(NINJA) -C build-arm64

check-arm64: arm64 build
	@$(PYTHON) tests/arm64/run.py --build $(BUILD) --arm64 build-arm64

check-stub: setup
	@$(MAKE) build
	@$(PYTHON) tests/stub/run.py --build $(BUILD)
	@$(PYTHON) tests/stub/linux.py --build $(BUILD)
	@$(PYTHON) tests/stub/linux.py --build $(BUILD) --processors 4 --long
	@$(PYTHON) tests/stub/linux_tasks.py --build $(BUILD)
	@$(PYTHON) tests/conformance/run.py --driver module --build $(BUILD)
	@$(PYTHON) tests/conformance/run.py --driver module-early --build $(BUILD)

check-kvm: setup
	@$(MAKE) build
	@$(PYTHON) tests/kvm/run.py --build $(BUILD) --part all

bench: setup
	@$(MAKE) build
	@$(PYTHON) bench/run.py --build $(BUILD)

sanitize: asan tsan

asan: setup
	@test -f build-asan/build.ninja || meson setup build-asan $(ASAN)
	@$(NINJA) -C build-asan
	@$(PYTHON) tools/check.py --build build-asan --skip checks,bench,gdbsuite

# What has one thread, or runs in a guest where nothing is instrumented, shows the thread sanitizer nothing; the machine's session and network stay.
ONE_THREAD = arm64,emulator-boot,fuzz

tsan: setup
	@test -f build-tsan/build.ninja || meson setup build-tsan $(TSAN)
	@$(NINJA) -C build-tsan
	@$(PYTHON) tools/check.py --build build-tsan --skip checks,bench,gdbsuite,$(ONE_THREAD)

clang: setup
	@test -f build-clang/build.ninja || CC=clang meson setup build-clang
	@$(NINJA) -C build-clang
	@$(PYTHON) tools/check.py --build build-clang --only unit

fuzz: setup
	@test -f build-fuzz/build.ninja || CC=clang meson setup build-fuzz -Dfuzz=true $(ASAN) \
		-Dc_args=-fsanitize=fuzzer-no-link
	@$(NINJA) -C build-fuzz fuzzers
	@$(PYTHON) tools/fuzz.py --build build-fuzz --seconds $(SECONDS_EACH)

format:
	git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 clang-format -i

tidy: $(BUILD)/build.ninja
	@$(PYTHON) tests/checks/tidy.py $(BUILD)

install: build
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-asan build-tsan build-clang build-fuzz build-arm64 build-fetched
