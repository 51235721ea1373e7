libwspi_la_SOURCES += lib/model/backward.c lib/model/checkpoint.c lib/model/config.c lib/model/engine.c lib/model/extend.c lib/model/forest.c \
	lib/model/forward.c lib/model/layers_int.h lib/model/loadsave.c lib/model/model.c lib/model/model_int.h \
	lib/model/packets.c lib/model/runner.c lib/model/runner_int.h lib/model/safetensors.c lib/model/share.c lib/model/softmax.c lib/model/speak.c lib/model/train_int.h lib/model/trainer.c lib/model/windows.c
libwspi_la_SOURCES += lib/model/group_int.h lib/model/update.c
if WSP_MPI
libwspi_la_SOURCES += lib/model/group_mpi.c
else
libwspi_la_SOURCES += lib/model/group_alone.c
endif
check_PROGRAMS += test_model test_runner
test_runner_SOURCES = tests/unit/test_runner.c tests/unit/models.h
test_model_SOURCES = tests/unit/test_model.c tests/unit/models.h
check_PROGRAMS += test_locale
test_locale_SOURCES = tests/unit/test_locale.c tests/unit/models.h
check_PROGRAMS += parity_dump
parity_dump_SOURCES = tests/parity/dump.c
check_PROGRAMS += test_trainer
test_trainer_SOURCES = tests/unit/test_trainer.c
check_PROGRAMS += test_extend
test_extend_SOURCES = tests/unit/test_extend.c tests/unit/models.h
check_PROGRAMS += test_windows
test_windows_SOURCES = tests/unit/test_windows.c tests/unit/models.h
