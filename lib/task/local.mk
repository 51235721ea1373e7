libwspi_la_SOURCES += lib/task/label.c lib/task/label_names.h lib/task/community.c lib/task/split.c lib/task/task_int.h \
	lib/task/view.c lib/task/labels.c lib/task/background.c lib/task/classify.c lib/task/stacks.c lib/task/annotate.c lib/task/forge.c \
	lib/task/metrics.c lib/task/spread.c lib/task/select.c lib/task/score.c lib/task/replies.c lib/task/seen.c lib/task/poll.c lib/task/change.c lib/task/rate.c \
	lib/task/features.h lib/task/features.c lib/task/trees_int.h lib/task/codes.c lib/task/trees.c lib/task/votes.h lib/task/votes.c lib/task/excerpt.h lib/task/excerpt.c lib/task/grow.c lib/task/baseline.c
libwspi_la_SOURCES += lib/task/calibrate.c lib/task/fit.c lib/task/fit_choose.c lib/task/fit_int.h lib/task/fit_log.c lib/task/fit_setup.c \
	lib/task/fit_state.c lib/task/fit_windows.c lib/task/validate.c
libwspi_la_SOURCES += lib/task/generate_int.h lib/task/generate.c lib/task/generate_draw.c lib/task/generate_speaker.h lib/task/generate_choose.c lib/task/generate_guide.c lib/task/generate_plan.c \
	lib/task/generate_hosts.c lib/task/generate_prompt.c lib/task/generate_script.c lib/task/generate_edit.c lib/task/generate_rare.c \
	lib/task/sample.c
libwspi_la_SOURCES += lib/task/coding.c lib/task/enroll.c lib/task/references.c
check_PROGRAMS += test_stacks test_task test_metrics test_split test_seen test_eval test_labels test_change test_trees
test_stacks_SOURCES = tests/unit/test_stacks.c
test_stacks_LDADD = $(TEST_LIBS)
test_task_SOURCES = tests/unit/test_task.c
test_task_LDADD = $(TEST_LIBS)
test_metrics_SOURCES = tests/unit/test_metrics.c
test_metrics_LDADD = $(TEST_LIBS)
test_seen_SOURCES = tests/unit/test_seen.c tests/unit/sets.h
test_seen_LDADD = $(TEST_LIBS)
test_split_SOURCES = tests/unit/test_split.c tests/unit/sets.h
test_split_LDADD = $(TEST_LIBS)
test_eval_SOURCES = tests/unit/test_eval.c tests/unit/sets.h
test_eval_LDADD = $(TEST_LIBS)
test_labels_SOURCES = tests/unit/test_labels.c
test_labels_LDADD = $(TEST_LIBS)
test_change_SOURCES = tests/unit/test_change.c
test_change_LDADD = $(TEST_LIBS)
test_trees_SOURCES = tests/unit/test_trees.c
test_trees_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_grammar
test_grammar_SOURCES = tests/unit/test_grammar.c
test_grammar_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_generate
test_generate_SOURCES = tests/unit/test_generate.c
test_generate_LDADD = $(TEST_LIBS)
libwspi_la_SOURCES += lib/task/realism_int.h lib/task/measure.c lib/task/distance.c lib/task/valid.c lib/task/traffic.c \
	lib/task/verbatim.h lib/task/verbatim.c lib/task/novelty.c lib/task/learn.c lib/task/markov.c lib/task/bytes.c
check_PROGRAMS += test_realism
test_realism_SOURCES = tests/unit/test_realism.c
test_realism_LDADD = $(TEST_LIBS)

# Deviations and mutators.
libwspi_la_SOURCES += lib/task/deviate_int.h lib/task/side.c lib/task/deviate.c lib/task/deviate_ops.c lib/task/draft.c \
	lib/task/mutate_int.h lib/task/mutate.c lib/task/mutate_input.c lib/task/mutate_trim.c
check_PROGRAMS += test_deviate test_mutate
test_mutate_SOURCES = tests/unit/test_mutate.c
test_mutate_LDADD = $(TEST_LIBS)
test_deviate_SOURCES = tests/unit/test_deviate.c
test_deviate_LDADD = $(TEST_LIBS)
check_PROGRAMS += test_forest
test_forest_SOURCES = tests/unit/test_forest.c tests/unit/models.h
test_forest_LDADD = $(TEST_LIBS)
