/* Lets the n-th write to one folder fail, and all after it: a full or a broken disk.
 *
 * Preloaded into the program under test. FAULT_DIR: the folder. FAULT_AT: n, counted from 1 over
 * write, pwrite, fsync, fdatasync, rename, link and ftruncate; 0 counts only. FAULT_ERRNO: what
 * they say. FAULT_COUNT: a file for the count. FAULT_ONCE: only the n-th fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;
static long at = -1;
static int once, error;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    folder = getenv("FAULT_DIR");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    error = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : ENOSPC;
    once = getenv("FAULT_ONCE") != NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *name = getenv("FAULT_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (file) {
        fprintf(file, "%ld", (long)count);
        fclose(file);
    }
}

static int fails(const char *path) {
    if (!folder || !path || strncmp(path, folder, strlen(folder))) return 0;
    long now = atomic_fetch_add(&count, 1) + 1;
    if (!at || now < at || (once && now > at)) return 0;
    errno = error;
    return 1;
}

static int fd_fails(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(path);
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    return fd_fails(fd) ? -1 : real(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t where) {
    REAL(pwrite);
    return fd_fails(fd) ? -1 : real(fd, data, size, where);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where) {
    REAL(pwrite64);
    return fd_fails(fd) ? -1 : real(fd, data, size, where);
}
int fsync(int fd) {
    REAL(fsync);
    return fd_fails(fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return fd_fails(fd) ? -1 : real(fd);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return fd_fails(fd) ? -1 : real(fd, size);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return fails(to) ? -1 : real(from, to);
}
int renameat(int one, const char *from, int two, const char *to) {
    REAL(renameat);
    return fails(to) ? -1 : real(one, from, two, to);
}
