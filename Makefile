# lmzoo. `make zoo` and `make check` each work as the first and only command after a clone.
#
#   all     build the programs                   lint    format, cppcheck, rooms, shellcheck
#   zoo     train every architecture, compare    san     the tests under ASan, UBSan and LSan
#   check   every test                           bench   speed, beside PyTorch if it is there
#   check-full  every test, then thousands of damaged files, kills, I/O errors and odd command lines, 9 minutes
#   lessons run every lesson's commands          experiments  the long trainings, 25 minutes
#   figures draw the lessons' pictures again     clang   build and test a part with clang
#   deps    install all packages                 clean   help

MODE    ?= opt
BUILD   ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
OUT     := $(BUILD)/$(MODE)
# Programs are built beside their sources; in the modes double and san, in the build folder.
BIN     := $(if $(filter opt,$(MODE)),,$(OUT)/)

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wvla \
           -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef
# Clang warns about loops that it cannot vectorise as "omp simd" asks; such loops stay scalar.
WARN    += $(if $(findstring clang,$(CC)),-Wno-pass-failed)
SPEED   := -O3 -march=native -fno-math-errno -fno-trapping-math -ffp-contract=fast
MODE_opt    := $(SPEED)
MODE_double := $(SPEED) -DREAL_DOUBLE
MODE_san    := -O1 -march=native -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=all -DARENA_POISON
FLAGS   := -std=c17 -D_GNU_SOURCE -g -fopenmp -I. -Icommon -Itests $(WARN) $(MODE_$(MODE))
LDLIBS  := -ldnnl -ljansson -lutf8proc -lm

PROGRAMS := rnn/train rnn/eval lstm_gru/train lstm_gru/eval \
            seq2seq_attention/train seq2seq_attention/eval \
            transformer/train transformer/eval gpt/train gpt/eval common/programs/zoo
PROGRAMS += $(patsubst %.c,%,$(wildcard lessons/[0-9]*.c))
COMMON   := $(filter-out $(PROGRAMS:=.c),$(wildcard common/*/*.c))
MODELS   := rnn lstm_gru seq2seq_attention transformer gpt
FOLDERS  := lessons $(MODELS)
SUITES   := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
DOUBLES  := $(patsubst %.c,%,$(wildcard tests/double/*.c))
SHELLS   := $(wildcard tests/programs/*.sh)
# Programs that damage files, kill runs and let calls fail, and count: some cases in check, all in check-full.
FULLS    := $(addprefix $(BUILD)/$(MODE)/tests/full/,flips inputs io_errors kills memory mutate options)
object    = $(patsubst %.c,$(OUT)/%.o,$(1))
# common/, each model folder and the files that lessons share are an archive each, so two folders may use one name. A
# program is linked with the archives of the folders whose headers it includes, that of the lessons first.
lib      := $(OUT)/liblmzoo.a
archives := $(patsubst %,$(OUT)/lib%.a,$(FOLDERS))
folders   = $(filter $(shell tr ' ' '\n' <$(1) | sed -n 's|^\./||; s|/.*||p' | sort -u),$(FOLDERS))
linked    = $(patsubst %,$(OUT)/lib%.a,$(call folders,$(1:.o=.d))) $(lib)

.PHONY: FORCE all zoo check check-full lint format san bench bench-tokens lessons figures experiments deps clean help suites clang
all: $(addprefix $(BIN),$(PROGRAMS))

# --- building ---------------------------------------------------------------------------------
compile  = $(CC) $(FLAGS) $(CFLAGS)

# Objects are rebuilt when the compiler, the flags or the processor (-march=native) change.
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@now="$(compile) $$($(CC) -march=native -Q --help=target 2>/dev/null | cksum)"; \
	 [ "$$now" = "$$(cat $@ 2>/dev/null)" ] || echo "$$now" >$@
FORCE:

$(OUT)/%.o: %.c $(OUT)/flags | $(BUILD)/deps
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(compile) -MMD -MP -c $< -o $@

$(lib): $(call object,$(COMMON))
	@rm -f $@
	@ar rcs $@ $^

# The archive of folder $(1): all its objects except the programs.
define archive
$(OUT)/lib$(1).a: $(call object,$(filter-out $(PROGRAMS:=.c),$(wildcard $(1)/*.c)))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach folder,$(FOLDERS),$(eval $(call archive,$(folder))))

$(addprefix $(BIN),$(PROGRAMS)): $(BIN)%: $(OUT)/%.o $(archives) $(lib)
	@mkdir -p $(@D)
	@echo "  link     $@"
	@$(compile) $< $(call linked,$<) -o $@ $(LDLIBS)

$(OUT)/tests/%: $(OUT)/tests/%.o $(archives) $(lib)
	@echo "  link     $@"
	@$(compile) $< $(call linked,$<) -o $@ -lcheck -lsubunit $(LDLIBS)
# Loaded into a program under test, it lets system calls and allocations fail.
$(OUT)/tests/full/fail.so: tests/full/shim.c tests/full/plan.h
	@mkdir -p $(@D)
	@echo "  link     $@"
	@$(CC) -std=c17 -D_GNU_SOURCE -O2 -g $(WARN) -fPIC -shared $< -o $@

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- missing packages, installed once -----------------------------------------------------------
$(BUILD)/deps: tests/deps.sh
	@mkdir -p $(@D)
	@sh tests/deps.sh build && touch $@
deps: $(BUILD)/deps
	@sh tests/deps.sh build lint

# --- running ----------------------------------------------------------------------------------
zoo: all
	./common/programs/zoo

suites: $(addprefix $(OUT)/tests/,$(SUITES))

# The gradient checks run in double precision, everything else in the mode given.
check: all suites $(FULLS) $(OUT)/tests/full/fail.so
ifeq ($(MODE),opt)
	@$(MAKE) --no-print-directory MODE=double $(addprefix $(BUILD)/double/,$(DOUBLES))
endif
	@BIN="$(BIN)" OUT="$(OUT)" bash tests/run.sh $(if $(filter opt,$(MODE)),$(addprefix $(BUILD)/double/,$(DOUBLES))) $(SHELLS) $(FULLS) $(SUITES)

check-full: check
	@FULL=1 BIN="$(BIN)" OUT="$(OUT)" bash tests/run.sh $(FULLS) tests/programs/config_keys.sh
	@[ "$(MODE)" = san ] || [ ! -x $(BUILD)/san/rnn/train ] || { $(MAKE) --no-print-directory MODE=san all && \
	 BIN=$(BUILD)/san/ $(OUT)/tests/full/mutate --count 300; }

# Compiles common/ and one model with clang, with warnings as errors, and runs some of their tests.
CLANG_SUITES := blas blas_small parallel vecmath ops ops_shared rnn
clang: CLANG := CC=clang-14 BUILD=$(BUILD)/clang CFLAGS=-Werror
clang:
	@sh tests/deps.sh clang
	@$(MAKE) --no-print-directory $(CLANG) $(addprefix $(BUILD)/clang/opt/tests/test_,$(CLANG_SUITES)) \
	 BIN=$(BUILD)/clang/opt/ $(BUILD)/clang/opt/rnn/train
	@BIN=$(BUILD)/clang/opt/ OUT=$(BUILD)/clang/opt bash tests/run.sh $(addprefix test_,$(CLANG_SUITES))

san:
	@$(MAKE) --no-print-directory MODE=san check

lint: $(BUILD)/deps
	@sh tests/deps.sh lint
	@bash tests/lint.sh

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

bench: all $(OUT)/tests/bench/bench
	@$(OUT)/tests/bench/bench
	@bash tests/bench/peer.sh $(OUT)/tests/bench/bench

# Byte-level BPE beside tiktoken and tokenizers: make bench-tokens TEXT=FILE GPT2=DIR.
bench-tokens: $(OUT)/tests/bench/tokens
	@bash tests/bench/tokens.sh $< "$(TEXT)" "$(GPT2)" $(MEGABYTES)

lessons: all
	@bash tests/lessons.sh

figures: all
	@FIGURES=1 bash tests/lessons.sh

experiments: all
	@bash tests/experiments.sh

clean:
	rm -rf $(BUILD) $(PROGRAMS)

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile
