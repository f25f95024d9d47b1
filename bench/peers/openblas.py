"""The system's OpenBLAS, called directly: products of two square matrices by cblas_sgemm, timed on request.

Arguments: size, threads. The peer speaks the protocol of serve.ts.
"""
import ctypes
import ctypes.util
import random
import sys
from array import array

from lines import absent, limit_threads, serve

size, threads = int(sys.argv[1]), int(sys.argv[2])
limit_threads(threads)
ROW_MAJOR, NO_TRANS = 101, 111


def product(a, b, out):
    """A function that computes out = a·b."""
    pointers = [(ctypes.c_float * (size * size)).from_buffer(values) for values in (a, b, out)]
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    a_, b_, c_ = pointers
    return lambda: blas.cblas_sgemm(ROW_MAJOR, NO_TRANS, NO_TRANS, size, size, size, one, a_, size, b_, size, zero, c_, size)


try:
    blas = ctypes.CDLL(ctypes.util.find_library("openblas") or "libopenblas.so.0")
    config = blas.openblas_get_config
except (OSError, AttributeError) as error:
    absent(error)
config.restype = ctypes.c_char_p

out = array("f", bytes(4 * size * size))
ramp = array("f", (i // size for i in range(size * size)))
product(array("f", [1]) * (size * size), ramp, out)()
if set(out) != {size * (size - 1) / 2}:
    sys.exit("the product of ones and a ramp must have equal rows, got others")

random.seed(1)
values = [array("f", (random.uniform(-1, 1) for _ in range(size * size))) for _ in range(2)]
run = product(*values, out)
version = config().decode().split()[1]
serve(f"OpenBLAS {version}", f"{threads} thread{'s' if threads > 1 else ''}", run)
