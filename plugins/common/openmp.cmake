# The OpenMP runtime that Debian's oneDNN and FAISS use, whichever compiler builds the plugins.
find_library(OPENMP_RUNTIME NAMES gomp libgomp.so.1 HINTS ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES} REQUIRED)
