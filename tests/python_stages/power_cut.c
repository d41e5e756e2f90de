/* Records, in order, what a process does to the files below one folder: test_power_cut.py plays
   it back. Preloaded (LD_PRELOAD); POWER_CUT_ROOT is the folder, POWER_CUT_LOG the record.

   A record is a line "operation inode offset length path\tother path\n", then `length` bytes that
   were written. Whatever this misses shows: the test compares a full replay with the folder. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The path of a name, resolved against its folder; "" when it is not below the root. */
static const char *below(int dirfd, const char *name, char *path) {
    const char *root = getenv("POWER_CUT_ROOT");
    char link[64], folder[PATH_MAX] = "";
    if (name == NULL || root == NULL) return "";
    if (name[0] != '/') {
        ssize_t n;
        if (dirfd == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        n = readlink(link, folder, sizeof folder - 1);
        folder[n > 0 ? n : 0] = 0;
        strcat(folder, "/");
    }
    snprintf(path, PATH_MAX, "%s%s", folder, name);
    size_t n = strlen(root);
    if (strncmp(path, root, n) != 0) return "";
    return path[n] == '/' ? path + n + 1 : path[n] == 0 ? "." : "";
}

static const char *below_fd(int fd, char *path) {
    char link[64], target[PATH_MAX];
    ssize_t n;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, target, sizeof target - 1);
    if (n <= 0) return "";
    target[n] = 0;
    return below(AT_FDCWD, target, path);
}

static void record(const char *operation, unsigned long inode, long offset, const char *path,
                   const char *other, const void *data, size_t length) {
    static int log = -1;
    int saved = errno;
    size_t room = strlen(path) + strlen(other) + 128;
    char *text = malloc(room + length);
    int n = snprintf(text, room, "%s %lu %ld %zu %s\t%s\n", operation, inode, offset, length, path, other);
    memcpy(text + n, data, length);
    if (log < 0)
        log = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWER_CUT_LOG"), O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (syscall(SYS_write, log, text, n + length) != (long)(n + length)) abort();
    free(text);
    errno = saved;
}

static unsigned long inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static int opened(int fd, int dirfd, const char *name, int flags) {
    char path[PATH_MAX];
    const char *inside;
    if (fd >= 0 && (flags & (O_CREAT | O_TRUNC)) && *(inside = below(dirfd, name, path)))
        record(flags & O_TRUNC ? "open-truncate" : "open", inode_of(fd), 0, inside, "", "", 0);
    return fd;
}

#define OPEN(function)                                                                             \
    int function(const char *name, int flags, ...) {                                               \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                  \
        va_end(rest);                                                                              \
        pthread_mutex_lock(&mutex);                                                                \
        int fd = opened(NEXT(function)(name, flags, mode), AT_FDCWD, name, flags);                 \
        pthread_mutex_unlock(&mutex);                                                              \
        return fd;                                                                                 \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                                                           \
    int function(int dirfd, const char *name, int flags, ...) {                                    \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                  \
        va_end(rest);                                                                              \
        pthread_mutex_lock(&mutex);                                                                \
        int fd = opened(NEXT(function)(dirfd, name, flags, mode), dirfd, name, flags);             \
        pthread_mutex_unlock(&mutex);                                                              \
        return fd;                                                                                 \
    }
OPENAT(openat)
OPENAT(openat64)

static void wrote(int fd, const void *data, ssize_t n, long offset) {
    char path[PATH_MAX];
    if (n > 0 && *below_fd(fd, path)) record("write", inode_of(fd), offset, "", "", data, n);
}

ssize_t write(int fd, const void *data, size_t size) {
    pthread_mutex_lock(&mutex);
    ssize_t n = NEXT(write)(fd, data, size);
    if (n > 0) {
        int saved = errno;
        off_t end = lseek(fd, 0, SEEK_CUR); /* behind what was written, wherever that began */
        errno = saved;
        if (end >= n) wrote(fd, data, n, end - n);
    }
    pthread_mutex_unlock(&mutex);
    return n;
}

#define PWRITE(function, type)                                                                     \
    ssize_t function(int fd, const void *data, size_t size, type offset) {                         \
        pthread_mutex_lock(&mutex);                                                                \
        ssize_t n = NEXT(function)(fd, data, size, offset);                                        \
        wrote(fd, data, n, offset);                                                                \
        pthread_mutex_unlock(&mutex);                                                              \
        return n;                                                                                  \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FD(function, operation, parameters, arguments, offset)                                  \
    int function parameters {                                                                      \
        char path[PATH_MAX];                                                                       \
        pthread_mutex_lock(&mutex);                                                                \
        int result = NEXT(function) arguments;                                                     \
        if (result == 0 && *below_fd(fd, path))                                                    \
            record(operation, inode_of(fd), offset, "", "", "", 0);                                \
        pthread_mutex_unlock(&mutex);                                                              \
        return result;                                                                             \
    }
ON_FD(fsync, "sync", (int fd), (fd), 0)
ON_FD(fdatasync, "sync", (int fd), (fd), 0)
ON_FD(ftruncate, "truncate", (int fd, off_t size), (fd, size), (long)size)
ON_FD(ftruncate64, "truncate", (int fd, off64_t size), (fd, size), (long)size)

#define ON_NAME(function, operation, parameters, arguments, dirfd)                                 \
    int function parameters {                                                                      \
        char path[PATH_MAX];                                                                       \
        struct stat found;                                                                         \
        pthread_mutex_lock(&mutex);                                                                \
        int result = NEXT(function) arguments;                                                     \
        const char *inside = below(dirfd, name, path);                                             \
        if (result == 0 && *inside) {                                                              \
            unsigned long inode = stat(path, &found) == 0 ? found.st_ino : 0;                      \
            record(operation, inode, 0, inside, "", "", 0);                                        \
        }                                                                                          \
        pthread_mutex_unlock(&mutex);                                                              \
        return result;                                                                             \
    }
ON_NAME(unlink, "unlink", (const char *name), (name), AT_FDCWD)
ON_NAME(unlinkat, "unlink", (int at, const char *name, int flags), (at, name, flags), at)
ON_NAME(rmdir, "unlink", (const char *name), (name), AT_FDCWD)
ON_NAME(mkdir, "mkdir", (const char *name, mode_t mode), (name, mode), AT_FDCWD)
ON_NAME(mkdirat, "mkdir", (int at, const char *name, mode_t mode), (at, name, mode), at)

#define ON_TWO(function, operation, parameters, arguments, from_fd, to_fd)                         \
    int function parameters {                                                                      \
        char from_path[PATH_MAX], to_path[PATH_MAX];                                               \
        pthread_mutex_lock(&mutex);                                                                \
        int result = NEXT(function) arguments;                                                     \
        const char *inside = below(to_fd, to, to_path);                                            \
        if (result == 0 && *inside)                                                                \
            record(operation, 0, 0, below(from_fd, from, from_path), inside, "", 0);               \
        pthread_mutex_unlock(&mutex);                                                              \
        return result;                                                                             \
    }
ON_TWO(rename, "rename", (const char *from, const char *to), (from, to), AT_FDCWD, AT_FDCWD)
ON_TWO(renameat, "rename", (int a, const char *from, int b, const char *to), (a, from, b, to), a, b)
ON_TWO(link, "link", (const char *from, const char *to), (from, to), AT_FDCWD, AT_FDCWD)
ON_TWO(linkat, "link", (int a, const char *from, int b, const char *to, int flags),
       (a, from, b, to, flags), a, b)
