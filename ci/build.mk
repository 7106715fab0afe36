# Compiles one flavour of everything. build.sh is the face: it chooses the compilers and flags and calls this with
#
#   OUT       folder of the products             OBJ       folder of this flavour's objects
#   CC CFLAGS                                    compile C, and link everything but fuzz targets
#   CXX CXXFLAGS                                 compile C++
#   UNITY                                        1: the core is compiled as one file
#   LINK_FUZZ ENGINE                             command and engine that link a fuzz target; without an engine it
#                                                gets a main() that replays files
#   ZYDIS                                        a folder of Zydis's sources, compiled with these flags but without
#                                                coverage and linked statically; not set: the installed library
#   WERROR                                       empty: a warning is no error (compilers that nobody has tried yet)
# Sources are found by wildcard: a new file needs no line here.

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

WERROR ?= -Werror
zydis_flags := $(if $(ZYDIS),-DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -I$(ZYDIS)/include \
                 -I$(ZYDIS)/dependencies/zycore/include)
core_flags := -std=c11 -ffreestanding -Wall -Wextra -Wconversion $(WERROR) -Icore
harness_flags := -std=gnu11 -Wall -Wextra $(WERROR) -I. $(zydis_flags)

bench_sources := $(wildcard harness/bench*.c)
programs := $(bench_sources) harness/replay_main.c $(wildcard harness/adapters/*.c) harness/examples/filesystem.c
core_sources := $(wildcard core/*.c)
tool_sources := $(wildcard harness/tool/*.c)
harness_sources := $(filter-out $(programs) $(tool_sources),$(wildcard harness/*.c harness/*/*.c))
fuzz_sources := $(wildcard fuzz/fuzz_*.c)
test_support := $(wildcard tests/*support*.c)
test_sources := $(filter-out $(test_support),$(wildcard tests/test_*.c tests/test_*.cc))

object = $(patsubst %,$(OBJ)/%.o,$(basename $(1)))
core_library := $(OBJ)/libpagerite.a
harness_library := $(OBJ)/libharness.a
zydis_library := $(if $(ZYDIS),$(OBJ)/libZydis.a)
harness_needs := $(or $(zydis_library),-lZydis)
support_library := $(OBJ)/libtestsupport.a
tool := $(OBJ)/pagerite
bench := $(OBJ)/bench
tests := $(patsubst tests/%,$(OBJ)/tests/%,$(basename $(test_sources)))
fuzzers := $(patsubst fuzz/%.c,$(OUT)/%,$(fuzz_sources))
afl_mutator := $(OUT)/afl_mutator.so

.PHONY: library tool bench tests fuzzers afl_mutator
library: $(core_library)
tool: $(tool)
bench: $(bench)
tests: $(tests) $(tool)
fuzzers: $(fuzzers)
afl_mutator: $(afl_mutator)
$(tool) $(bench) $(tests) $(fuzzers): | $(zydis_library)

unity := $(OBJ)/core/unity
$(core_library): $(if $(UNITY),$(unity).o,$(call object,$(core_sources)))
$(harness_library): $(call object,$(harness_sources))
$(support_library): $(call object,$(test_support))
%.a:
	@rm -f $@
	ar rcsD $@ $^

$(tool): $(call object,$(tool_sources)) $(harness_library) $(core_library)
	$(CC) $(CFLAGS) $^ $(harness_needs) -o $@

$(bench): $(call object,$(bench_sources)) $(harness_library) $(core_library)
	$(CC) $(CFLAGS) $^ $(harness_needs) -o $@

$(OBJ)/tests/%: $(OBJ)/tests/%.o $(support_library) $(harness_library) $(core_library)
	$(if $(wildcard tests/$*.cc),$(CXX) $(CXXFLAGS),$(CC) $(CFLAGS)) $^ -lcmocka $(harness_needs) -o $@

replay_main := $(if $(ENGINE),,$(call object,$(wildcard harness/replay_main.c)))
$(OUT)/fuzz_%: $(OBJ)/fuzz/fuzz_%.o $(replay_main) $(harness_library) $(core_library)
	@mkdir -p $(OUT)
	$(LINK_FUZZ) $^ $(ENGINE) $(harness_needs) -o $@

# What AFL++ loads into itself: no sanitizer, and only what knows a program's bytes.
mutator_sources := fuzz/afl_mutator.c harness/mutate.c $(wildcard harness/program*.c) harness/live_handles.c \
                   $(core_sources)
$(afl_mutator): $(mutator_sources) $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) -O2 -fPIC -shared -ffunction-sections -Wl,--gc-sections,--no-undefined $(harness_flags) -Icore \
		$(mutator_sources) -o $@

ifneq ($(ZYDIS),)
$(zydis_library): $(patsubst $(ZYDIS)/%.c,$(OBJ)/zydis/%.o,$(wildcard $(ZYDIS)/src/*.c))
$(OBJ)/zydis/%.o: $(ZYDIS)/%.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(filter-out -fsanitize=fuzzer-no-link -fsanitize-coverage=%,$(CFLAGS)) $(zydis_flags) -I$(ZYDIS)/src \
		-c $< -o $@
endif

$(unity).o: $(core_sources) $(OBJ)/flags
	@mkdir -p $(@D)
	printf '#include "%s"\n' $(core_sources) >$(unity).c
	$(CC) $(CFLAGS) $(core_flags) -I. -MMD -MP -c $(unity).c -o $@

# A document as the inside of an array of char: one string for each line.
$(OBJ)/harness/tool/trace_format.inc: docs/trace-format.md
	@mkdir -p $(@D)
	sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< >$@
$(OBJ)/harness/tool/help.o: $(OBJ)/harness/tool/trace_format.inc
$(OBJ)/harness/tool/help.o: harness_flags += -iquote $(OBJ)

$(OBJ)/core/%.o: core/%.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(core_flags) -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(harness_flags) -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.cc $(OBJ)/flags
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -std=c++11 -Wall -Wextra -Werror -I. -MMD -MP -c $< -o $@

# Objects are made anew when compilers, flags or the list of sources differ from last time.
flags := $(CC) $(CFLAGS) $(CXX) $(CXXFLAGS) $(LINK_FUZZ) $(ENGINE) $(ZYDIS) $(core_sources) $(harness_sources) \
         $(tool_sources) $(test_support) $(bench_sources)
$(OBJ)/flags: always
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp --silent - $@ || echo '$(flags)' >$@
.PHONY: always
always:

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
