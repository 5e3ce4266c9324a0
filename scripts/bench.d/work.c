/* The works that are timed, each the same system calls wherever it runs: the tools of a system look at the kind of
 * file system they are on (find and rm sort and leave out calls), this program does not. Paths are relative to the
 * working directory. Each work prints what it saw on one line, so that places can be compared.
 *
 *   walk DIR THREADS        fstatat of every name below DIR
 *   read DIR LIMIT          walk, and open, read and close every file of at most LIMIT bytes
 *   digest DIR              a hash of all names, kinds, execute bits and contents, whatever their order
 *   create DIR COUNT SIZE   COUNT new files of SIZE bytes, 100 in each directory
 *   write FILE MIB          a new file, written in pieces of 1 MiB, then fsync
 *   cat FILE                read in pieces of 1 MiB
 *   mmap FILE               the same through a mapping
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void fail(const char *what) {
    fprintf(stderr, "work: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

/* All bytes count, and where they stand, however they were cut into pieces of a multiple of eight bytes. */
static uint64_t mix_bytes(uint64_t hash, const unsigned char *bytes, size_t length) {
    uint64_t word;
    while (length >= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash, word);
        bytes += sizeof word;
        length -= sizeof word;
    }
    if (length > 0) {
        word = 0;
        memcpy(&word, bytes, length);
        hash = mix(hash, word);
    }
    return hash;
}

/* Fills the buffer as far as the file reaches. */
static size_t read_full(int file, unsigned char *buffer, size_t size, const char *path) {
    size_t filled = 0;
    while (filled < size) {
        ssize_t got = read(file, buffer + filled, size - filled);
        if (got < 0) fail(path);
        if (got == 0) break;
        filled += (size_t)got;
    }
    return filled;
}

/* ---- Walks ----------------------------------------------------------------------------------------------------- */

struct seen {
    uint64_t files, directories, links, bytes, read, digest;
};

enum what { WALK, READ, DIGEST };

static enum what what;
static off_t limit;

/* Directories that are still to be read, and how many threads are at one. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char **paths;
    size_t length, capacity, busy;
    struct seen seen;
} walk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void push(char *path) {
    pthread_mutex_lock(&walk.lock);
    if (walk.length == walk.capacity) {
        walk.capacity = walk.capacity ? 2 * walk.capacity : 1024;
        walk.paths = realloc(walk.paths, walk.capacity * sizeof *walk.paths);
        if (!walk.paths) fail("memory");
    }
    walk.paths[walk.length++] = path;
    pthread_cond_signal(&walk.changed);
    pthread_mutex_unlock(&walk.lock);
}

static void read_file(const char *path, unsigned char *buffer, struct seen *seen, uint64_t *hash) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    for (;;) {
        size_t got = read_full(file, buffer, MIB, path);
        seen->read += got;
        *hash = mix_bytes(*hash, buffer, got);
        if (got < MIB) break;
    }
    close(file);
}

static void read_directory(const char *path, unsigned char *buffer, struct seen *seen) {
    DIR *directory = opendir(path);
    if (!directory) fail(path);
    struct dirent *entry;
    while (errno = 0, (entry = readdir(directory))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        struct stat status;
        if (fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW)) fail(name);
        char *below;
        if (asprintf(&below, "%s/%s", path, name) < 0) fail("memory");
        uint64_t hash = mix_bytes(status.st_mode & S_IFMT, (unsigned char *)below, strlen(below));
        if (S_ISDIR(status.st_mode)) {
            seen->directories++;
            push(below);
            continue;
        }
        if (S_ISLNK(status.st_mode)) {
            seen->links++;
            if (what == DIGEST) {
                ssize_t length = readlink(below, (char *)buffer, MIB);
                if (length < 0) fail(below);
                seen->digest += mix_bytes(hash, buffer, (size_t)length);
            }
        } else {
            seen->files++;
            seen->bytes += (uint64_t)status.st_size;
            if (what == DIGEST || (what == READ && status.st_size <= limit)) {
                hash = mix(hash, status.st_mode & S_IXUSR);
                read_file(below, buffer, seen, &hash);
                seen->digest += hash;
            }
        }
        free(below);
    }
    if (errno) fail(path);
    closedir(directory);
}

static void *walker(void *unused) {
    struct seen seen = {0};
    unsigned char *buffer = malloc(MIB);
    if (!buffer) fail("memory");
    pthread_mutex_lock(&walk.lock);
    for (;;) {
        while (walk.length == 0 && walk.busy > 0) pthread_cond_wait(&walk.changed, &walk.lock);
        if (walk.length == 0) break;
        char *path = walk.paths[--walk.length];
        walk.busy++;
        pthread_mutex_unlock(&walk.lock);
        read_directory(path, buffer, &seen);
        free(path);
        pthread_mutex_lock(&walk.lock);
        walk.busy--;
    }
    pthread_cond_broadcast(&walk.changed);
    walk.seen.files += seen.files;
    walk.seen.directories += seen.directories;
    walk.seen.links += seen.links;
    walk.seen.bytes += seen.bytes;
    walk.seen.read += seen.read;
    walk.seen.digest += seen.digest;
    pthread_mutex_unlock(&walk.lock);
    free(buffer);
    return unused;
}

static void walk_tree(const char *path, unsigned threads) {
    pthread_t others[64];
    if (threads < 1 || threads > 64) {
        fprintf(stderr, "work: 1 to 64 threads\n");
        exit(2);
    }
    push(strdup(path));
    for (unsigned at = 1; at < threads; at++)
        if (pthread_create(&others[at], NULL, walker, NULL)) fail("thread");
    walker(NULL);
    for (unsigned at = 1; at < threads; at++) pthread_join(others[at], NULL);
    const struct seen *seen = &walk.seen;
    printf("%ju files, %ju directories, %ju links, %ju bytes", (uintmax_t)seen->files, (uintmax_t)seen->directories,
           (uintmax_t)seen->links, (uintmax_t)seen->bytes);
    if (what != WALK) printf(", %ju read, digest %016jx", (uintmax_t)seen->read, (uintmax_t)seen->digest);
    printf("\n");
}

/* ---- Files ----------------------------------------------------------------------------------------------------- */

/* A text whose pieces differ from each other. */
static void fill(unsigned char *buffer, size_t size, uint64_t number) {
    uint64_t state = number + 1;
    for (size_t at = 0; at < size; at++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        buffer[at] = (unsigned char)(state >> 58) + 32;
    }
}

static void write_full(int file, const unsigned char *buffer, size_t size, const char *path) {
    while (size > 0) {
        ssize_t written = write(file, buffer, size);
        if (written < 0) fail(path);
        buffer += written;
        size -= (size_t)written;
    }
}

static void create_files(const char *directory, long count, size_t size) {
    unsigned char *buffer = malloc(size + 1);
    char path[4096];
    fill(buffer, size, 0);
    if (mkdir(directory, 0777)) fail(directory);
    for (long at = 0; at < count; at++) {
        if (at % 100 == 0) {
            snprintf(path, sizeof path, "%s/d%ld", directory, at / 100);
            if (mkdir(path, 0777)) fail(path);
        }
        snprintf(path, sizeof path, "%s/d%ld/f%ld", directory, at / 100, at % 100);
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0) fail(path);
        write_full(file, buffer, size, path);
        if (close(file)) fail(path);
    }
    free(buffer);
    printf("%ld created\n", count);
}

static void write_file(const char *path, long mib) {
    unsigned char *buffer = malloc(MIB);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) fail(path);
    fill(buffer, MIB, 1);
    for (long at = 0; at < mib; at++) write_full(file, buffer, MIB, path);
    if (fsync(file)) fail(path);
    if (close(file)) fail(path);
    free(buffer);
    printf("%ld MiB written\n", mib);
}

static void print_content(uint64_t bytes, uint64_t hash) {
    printf("%ju bytes, digest %016jx\n", (uintmax_t)bytes, (uintmax_t)hash);
}

static void cat_file(const char *path) {
    struct seen seen = {0};
    unsigned char *buffer = malloc(MIB);
    uint64_t hash = 0;
    read_file(path, buffer, &seen, &hash);
    print_content(seen.read, hash);
    free(buffer);
}

static void map_file(const char *path) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status)) fail(path);
    size_t size = (size_t)status.st_size;
    unsigned char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) fail(path);
    print_content(size, mix_bytes(0, bytes, size));
    munmap(bytes, size);
    close(file);
}

int main(int count, char **words) {
    const char *work = count > 2 ? words[1] : "";
    if (!strcmp(work, "walk") && count == 4) {
        walk_tree(words[2], (unsigned)atoi(words[3]));
    } else if (!strcmp(work, "read") && count == 4) {
        what = READ;
        limit = atoll(words[3]);
        walk_tree(words[2], 1);
    } else if (!strcmp(work, "digest") && count == 3) {
        what = DIGEST;
        walk_tree(words[2], 1);
    } else if (!strcmp(work, "create") && count == 5) {
        create_files(words[2], atol(words[3]), (size_t)atol(words[4]));
    } else if (!strcmp(work, "write") && count == 4) {
        write_file(words[2], atol(words[3]));
    } else if (!strcmp(work, "cat") && count == 3) {
        cat_file(words[2]);
    } else if (!strcmp(work, "mmap") && count == 3) {
        map_file(words[2]);
    } else {
        fprintf(stderr, "work: see the head of work.c for the works and their arguments\n");
        return 2;
    }
    return 0;
}
