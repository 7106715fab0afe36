/*
 * A main() for a fuzz target without a fuzzing engine: runs each file given, and each file below each folder given,
 * once. Status 0 if all ran, 2 if one could not be read; a finding ends the process as it would under an engine.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned runs, failures;

static uint8_t *read_file(const char *path, size_t bytes)
{
    uint8_t *data = malloc(bytes ? bytes : 1);
    FILE *file = fopen(path, "rb");
    size_t count = data && file ? fread(data, 1, bytes, file) : 0;
    if (file)
        fclose(file);
    if (count == bytes && file)
        return data;
    free(data);
    return NULL;
}

static void replay_file(const char *path, size_t bytes)
{
    uint8_t *data = read_file(path, bytes);
    if (!data) {
        fprintf(stderr, "%s: cannot be read\n", path);
        failures++;
        return;
    }
    fprintf(stderr, "%s: %zu bytes\n", path, bytes);
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
    runs++;
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void replay(const char *path);

static void replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_entry, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = malloc(strlen(path) + strlen(entries[i]->d_name) + 2);
        if (inner) {
            sprintf(inner, "%s/%s", path, entries[i]->d_name);
            replay(inner);
        }
        free(inner);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        failures++;
    } else if (S_ISDIR(status.st_mode)) {
        replay_folder(path);
    } else {
        replay_file(path, (size_t)status.st_size);
    }
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    fprintf(stderr, "%u inputs\n", runs);
    return failures ? 2 : 0;
}
