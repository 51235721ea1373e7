# SPDX-License-Identifier: Apache-2.0
"""torch_env.py: the environment in which PyTorch is fastest on a CPU; it has to be set before a process starts."""
import glob
import os
import sys

BLAS = next(iter(glob.glob("/usr/lib/*/openblas-openmp")), "")


def cpu_has(flag):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        return any(line.startswith("flags") and flag in line.split() for line in f)


def tuned(threads, blas=BLAS):
    """One OpenMP pool (OpenBLAS for OpenMP, with AVX-512 where there is), threads that do not spin long, an allocator that keeps its memory."""
    e = {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "1000", "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
         "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}
    if cpu_has("avx512f"):
        e |= {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "avx512"}
    if blas:
        e["LD_LIBRARY_PATH"] = ":".join([blas] + os.environ.get("LD_LIBRARY_PATH", "").split(":")).rstrip(":")
    else:
        print(f"{os.path.basename(sys.argv[0])}: no OpenBLAS for OpenMP (libopenblas0-openmp): float32 is slower than it could be", file=sys.stderr)
    allocator = glob.glob("/usr/lib/*/libjemalloc.so.2")
    if allocator:
        e |= {"LD_PRELOAD": allocator[0], "MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1,narenas:2"}
    return e
