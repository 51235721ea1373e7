libwspi_la_SOURCES += lib/generate/generate_int.h lib/generate/generate.c lib/generate/generate_draw.c lib/generate/generate_speaker.h lib/generate/generate_speaker.c lib/generate/generate_choose.c lib/generate/generate_guide.c lib/generate/generate_plan.c \
	lib/generate/generate_hosts.c lib/generate/generate_prompt.c lib/generate/generate_script.c lib/generate/generate_edit.c lib/generate/generate_rare.c \
	lib/generate/generate_dialog.c \
	lib/generate/sample.c
check_PROGRAMS += test_grammar
test_grammar_SOURCES = tests/unit/test_grammar.c
check_PROGRAMS += test_generate
test_generate_SOURCES = tests/unit/test_generate.c

# Deviations and mutators.
libwspi_la_SOURCES += lib/generate/deviate_int.h lib/generate/deviate.c lib/generate/deviate_ops.c lib/generate/odd.c lib/generate/draft.c \
	lib/generate/mutate_int.h lib/generate/mutate.c lib/generate/mutate_input.c lib/generate/mutate_trim.c
check_PROGRAMS += test_deviate test_mutate
test_mutate_SOURCES = tests/unit/test_mutate.c
test_deviate_SOURCES = tests/unit/test_deviate.c

# Dialogs of protocols without a grammar.
libwspi_la_SOURCES += lib/generate/dialog/block.c lib/generate/dialog/dialog.c lib/generate/dialog/dialog.h lib/generate/dialog/discovery.c lib/generate/dialog/grid.c lib/generate/dialog/industry.c lib/generate/dialog/iperf.c lib/generate/dialog/messenger.c lib/generate/dialog/nats.c lib/generate/dialog/opcua.c lib/generate/dialog/peer.c lib/generate/dialog/postgresql.c lib/generate/dialog/queue.c lib/generate/dialog/route.c lib/generate/dialog/screen.c lib/generate/dialog/sql.c lib/generate/dialog/sql.h lib/generate/dialog/store.c lib/generate/dialog/tds.c lib/generate/dialog/text.c lib/generate/dialog/tls.c lib/generate/dialog/tunnel.c
check_PROGRAMS += test_dialog test_dialog_turns dialogs
test_dialog_turns_SOURCES = tests/unit/test_dialog_turns.c
test_dialog_SOURCES = tests/unit/test_dialog.c
dialogs_SOURCES = tests/unit/dialogs.c
