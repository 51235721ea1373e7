libwspi_la_SOURCES += lib/generate/generate_int.h lib/generate/generate.c lib/generate/generate_draw.c lib/generate/generate_speaker.h lib/generate/generate_choose.c lib/generate/generate_guide.c lib/generate/generate_plan.c \
	lib/generate/generate_hosts.c lib/generate/generate_prompt.c lib/generate/generate_script.c lib/generate/generate_edit.c lib/generate/generate_rare.c \
	lib/generate/sample.c
check_PROGRAMS += test_grammar
test_grammar_SOURCES = tests/unit/test_grammar.c
check_PROGRAMS += test_generate
test_generate_SOURCES = tests/unit/test_generate.c

# Deviations and mutators.
libwspi_la_SOURCES += lib/generate/deviate_int.h lib/generate/deviate.c lib/generate/deviate_ops.c lib/generate/draft.c \
	lib/generate/mutate_int.h lib/generate/mutate.c lib/generate/mutate_input.c lib/generate/mutate_trim.c
check_PROGRAMS += test_deviate test_mutate
test_mutate_SOURCES = tests/unit/test_mutate.c
test_deviate_SOURCES = tests/unit/test_deviate.c
