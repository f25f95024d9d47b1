"""scikit-learn's exact neighbours: NearestNeighbors(algorithm='brute') on float32.

A timed run fits the points and asks for the neighbours of all of them. Arguments: a file of float32, rows,
columns, k, threads, and a file. The neighbours are written into that file as int32. The peer speaks the
protocol of serve.ts.
"""
import sys

from lines import absent, limit_threads, serve

points, rows, cols, k, threads, found = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
limit_threads(threads)


try:
    import numpy
    import sklearn
    from sklearn.neighbors import NearestNeighbors
except ImportError as error:
    absent(error)

x = numpy.fromfile(points, dtype=numpy.float32).reshape(rows, cols)


def run():
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(x)
    return neighbours.kneighbors()[1]


run().astype(numpy.int32).tofile(found)
serve(f"scikit-learn {sklearn.__version__}", f"{threads} threads", run)
