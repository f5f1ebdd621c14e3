# sharecollab: build, install and test
#
#	make, make install, make installcheck	as for every PostgreSQL extension (PGXS)
#	make test, make demo, make bench, make soak	on a machine that may have nothing yet
#
# "make help" lists them all. Another server than the first on the PATH:
# make PG_CONFIG=/path/to/pg_config

EXTENSION    = sharecollab
# The control file is the one place that says the version
EXTVERSION  := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)

all:

# ----------
# Goals that must work before PostgreSQL is here. test/run installs what is
# missing, then comes back to this Makefile with the PG_CONFIG it chose; one
# given by the caller reaches it through the environment.
# ----------
RUN_GOALS    = test demo stop bench soak docs
BARE_GOALS   = $(RUN_GOALS) dist help

.PHONY: all $(BARE_GOALS) check-tests

$(RUN_GOALS):
	@test/run $@ $(ARGS)

dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/ \
		-o $(EXTENSION)-$(EXTVERSION).zip HEAD

help:
	@echo 'make               build            (needs PostgreSQL 15 or newer, with its server headers)'
	@echo 'make install       install into the server of PG_CONFIG'
	@echo 'make installcheck  regression and isolation tests, on a running server'
	@echo 'make test          every test, on a private server; installs what is missing (apt)'
	@echo '                   ARGS="pgtap tap" runs only these kinds'
	@echo 'make demo          a private server with example data, to try things out; likewise'
	@echo 'make stop          stop and remove the server of the demo'
	@echo 'make bench         benchmarks, on a private server; ARGS="..." goes to test/bench/run'
	@echo 'make soak          many clients for ten minutes or more, on a server that is killed'
	@echo '                   now and then; SOAK_OPERATIONS=, SOAK_KILLS= and SOAK_CLIENTS= say how much'
	@echo 'make docs          bring doc/ up to date: the reference, and the output of the examples'
	@echo 'make dist          release archive of HEAD'
	@echo 'make clean         remove everything that was made here'

# Everything below needs PostgreSQL, so it is skipped when only goals above are
# asked for ("make" alone asks for "all").
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)

PG_CONFIG   ?= pg_config
PGXS        := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
SERVER_H    := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
ifeq ($(shell test -f '$(PGXS)' && test -f '$(SERVER_H)/postgres.h' && echo yes),)
$(error $(PG_CONFIG) leads to no PostgreSQL to build with. Install a compiler and the server \
headers (Debian, Ubuntu: apt install gcc make postgresql postgresql-server-dev-all), or set \
PG_CONFIG, or run "make demo", which installs what is missing)
endif

# ----------
# What is built
# ----------
MODULE_big   = $(EXTENSION)
OBJS        := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
ifeq ($(OBJS),)
$(error no src/*.c here: run make in the source directory)
endif

# The install script is assembled from its parts. Scripts of released versions
# are committed and frozen; they and the upgrade scripts are installed beside it.
PARTS       := $(sort $(wildcard sql/parts/*.sql))
INSTALL_SQL := sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built   = $(INSTALL_SQL)
DATA        := $(filter-out $(INSTALL_SQL),$(sort $(wildcard sql/$(EXTENSION)--*.sql))) \
               $(sort $(wildcard sql/upgrade/$(EXTENSION)--*--*.sql))

SCRIPTS      = bin/sharecollab-git-import

# More warnings than PostgreSQL's own. Its headers do not pass them, so we name
# its include directories as system ones: that silences the headers and the
# macros in them, and nothing of ours. Both, to keep the order of PGXS.
PG_CPPFLAGS  = $(addprefix -isystem ,$(includedir_server) $(includedir_internal)) \
               -DSHARECOLLAB_VERSION=\"$(EXTVERSION)\"
# 15 exports every symbol of a module; from 16 on PGXS hides them itself
PG_CFLAGS   += -fvisibility=hidden -Wextra -Wshadow -Wvla $(if $(WERROR),-Werror)

EXTRA_CLEAN  = .build $(EXTENSION)-*.zip results/ regression.diffs regression.out \
               output_iso/ tmp_check/ tmp_check_iso/ log/

# ----------
# Tests for installcheck. Inputs are in test/, expected output in expected/,
# where pg_regress looks whatever the version: with --inputdir=test alone up to
# 15, because the output directory is "."; from 16 on by its own default.
# ----------
# (check-tests looks at TESTS, as REGRESS= and ISOLATION= may be overridden)
TESTS       := $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
SPECS       := $(sort $(notdir $(basename $(wildcard test/specs/*.spec))))
REGRESS     := $(TESTS)
ISOLATION   := $(SPECS)
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
# PGXS puts isolation results, and looks for expected ones, in output_iso
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)
REGRESS_PREP   = check-tests

include $(PGXS)

ifneq ($(filter 9.% 10 11 12 13 14,$(MAJORVERSION)),)
$(error sharecollab needs PostgreSQL 15 or newer; $(PG_CONFIG) is of $(VERSION))
endif

# PGXS knows no header dependencies, and does not notice another PG_CONFIG,
# other flags, or a source file that has gone: .build changes when they do.
BUILD       := $(VERSION) $(CC) $(CPPFLAGS) $(CFLAGS) $(OBJS) $(PARTS)
$(shell printf '%s\n' '$(BUILD)' | cmp -s - .build || printf '%s\n' '$(BUILD)' >.build)

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h) .build
$(INSTALL_SQL): $(PARTS) $(EXTENSION).control .build
	cat $(PARTS) > $@

# pg_regress is content with no tests at all; it looks for sql/NAME.sql before
# test/sql/NAME.sql; and both kinds of tests share expected/. So say it loudly.
CLASHES     := $(filter $(SPECS) $(notdir $(basename $(wildcard sql/*.sql))),$(TESTS))
check-tests:
	@$(if $(TESTS),,$(error no test/sql/*.sql))
	@$(if $(CLASHES),$(error also the name of a sql/*.sql or test/specs/*.spec: $(CLASHES)))

endif
