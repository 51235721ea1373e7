libwspi_la_SOURCES += lib/task/label.c lib/task/label_names.h lib/task/community.c lib/task/split.c lib/task/task_int.h \
	lib/task/view.c lib/task/labels.c lib/task/background.c lib/task/classify.c lib/task/stacks.c lib/task/annotate.c lib/task/forge.c lib/task/forge_ndp.c \
	lib/task/metrics.c lib/task/spread.c lib/task/select.c lib/task/score.c lib/task/replies.c lib/task/seen.c lib/task/poll.c lib/task/change.c lib/task/rate.c lib/task/side.c \
	lib/task/features.h lib/task/features.c lib/task/trees_int.h lib/task/codes.c lib/task/trees.c lib/task/votes.h lib/task/votes.c lib/task/excerpt.h lib/task/excerpt.c lib/task/grow.c lib/task/trees_baseline.c
libwspi_la_SOURCES += lib/task/calibrate.c lib/task/fit.c lib/task/fit_choose.c lib/task/fit_int.h lib/task/fit_log.c lib/task/fit_setup.c \
	lib/task/fit_state.c lib/task/fit_windows.c lib/task/validate.c
libwspi_la_SOURCES += lib/task/coding.c lib/task/enroll.c lib/task/references.c
check_PROGRAMS += test_stacks test_task test_metrics test_split test_seen test_eval test_labels test_change test_trees
test_stacks_SOURCES = tests/unit/test_stacks.c
test_task_SOURCES = tests/unit/test_task.c
test_metrics_SOURCES = tests/unit/test_metrics.c
test_seen_SOURCES = tests/unit/test_seen.c tests/unit/sets.h
test_split_SOURCES = tests/unit/test_split.c tests/unit/sets.h
test_eval_SOURCES = tests/unit/test_eval.c tests/unit/sets.h
test_labels_SOURCES = tests/unit/test_labels.c
test_change_SOURCES = tests/unit/test_change.c
test_trees_SOURCES = tests/unit/test_trees.c
check_PROGRAMS += test_early test_forest
test_early_SOURCES = tests/unit/test_early.c
test_forest_SOURCES = tests/unit/test_forest.c tests/unit/models.h
check_PROGRAMS += test_memory
test_memory_SOURCES = tests/unit/test_memory.c
test_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup,--wrap=free
check_PROGRAMS += test_misuse
test_misuse_SOURCES = tests/unit/test_misuse.c
