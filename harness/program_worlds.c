/* The header of an input: which world it runs in, and how. See program.h. */
#include "harness/program_operands.h"

#include <stdio.h>
#include <string.h>

/* byte 0: bits 0-2 page size, 3-5 class of world, 6-7 options; byte 1: bits 0-2 read_batch, 3-5 schedule, 6 no
   epilogue; byte 2: prologue; byte 3: seed. */
enum { PAGE_CHOICES = 8, CLASS_CHOICES = 8, BATCH_CHOICES = 8, SCHEDULE_CHOICES = 8, PAGE_SIZES = 4, CLASSES = 4 };

static const uint8_t page_shifts[PAGE_SIZES] = {4, 6, 9, 12};
static const uint8_t page_choices[PAGE_CHOICES] = {0, 0, 0, 1, 1, 0, 2, 3};
static const uint8_t class_choices[CLASS_CHOICES] = {0, 0, 0, 1, 0, 1, 2, 3};
static const uint32_t read_batches[BATCH_CHOICES] = {16, 1, 0, 2, 3, 4, 5, 8};
static const uint8_t schedule_choices[SCHEDULE_CHOICES] = {SCHEDULE_QUEUE, SCHEDULE_QUEUE,   SCHEDULE_QUEUE,
                                                           SCHEDULE_QUEUE, SCHEDULE_OTHER,   SCHEDULE_OTHER,
                                                           SCHEDULE_LATE,  SCHEDULE_EXPLICIT};

static const pgr_config classes[CLASSES] = {
    {.frame_count = 48,
     .object_count = 80,
     .handle_count = 32,
     .thread_count = 5,
     .packet_count = 24,
     .run_count = 160},
    {.frame_count = 14, .object_count = 28, .handle_count = 20, .thread_count = 4, .packet_count = 6, .run_count = 40},
    {.frame_count = 160,
     .object_count = 200,
     .handle_count = 64,
     .thread_count = 12,
     .packet_count = 64,
     .run_count = 512},
    {.frame_count = 1300,
     .object_count = 1000,
     .handle_count = 512,
     .thread_count = PROGRAM_THREADS_MAX,
     .packet_count = 512,
     .run_count = 4096},
};

/* Classes from the smallest to the largest. */
static const uint8_t classes_by_size[CLASSES] = {1, 0, 2, 3};

void program_read_header(struct program_header *header, const uint8_t *data, size_t bytes)
{
    uint8_t raw[PROGRAM_HEADER_BYTES] = {0};
    if (bytes > 0)
        memcpy(raw, data, bytes < sizeof raw ? bytes : sizeof raw);
    uint32_t page = page_choices[raw[0] & 7], class = class_choices[(raw[0] >> 3) & 7], options = raw[0] >> 6;
    uint32_t batch = raw[1] & 7;
    header->config = classes[class];
    header->config.page_shift = page_shifts[page];
    header->config.options = options; /* the two bits are PGR_OPTION_... */
    header->config.read_batch = read_batches[batch];
    header->world = ((class * PAGE_SIZES + page) * 4 + options) * BATCH_CHOICES + batch;
    header->schedule = schedule_choices[(raw[1] >> 3) & 7];
    header->prologue = raw[2];
    header->epilogue = !(raw[1] & HEADER_NO_EPILOGUE);
    header->seed = raw[3];
}

void program_largest_config(pgr_config *config)
{
    *config = classes[classes_by_size[CLASSES - 1]];
    config->page_shift = page_shifts[PAGE_SIZES - 1];
}

static int choice_of(const uint8_t *choices, uint32_t count, uint32_t value)
{
    for (uint32_t choice = 0; choice < count; choice++) {
        if (choices[choice] == value)
            return (int)choice;
    }
    return -1;
}

static int page_choice(uint32_t shift)
{
    for (uint32_t page = 0; page < PAGE_SIZES; page++) {
        if (page_shifts[page] == shift)
            return choice_of(page_choices, PAGE_CHOICES, page);
    }
    return -1;
}

static int batch_choice(uint32_t read_batch)
{
    for (uint32_t batch = 0; batch < BATCH_CHOICES; batch++) {
        if (read_batches[batch] == read_batch)
            return (int)batch;
    }
    return -1;
}

int header_for_config(const pgr_config *config, uint8_t header[PROGRAM_HEADER_BYTES], char *why, size_t why_bytes)
{
    int page = page_choice(config->page_shift), batch = batch_choice(config->read_batch);
    if (page < 0) {
        snprintf(why, why_bytes, "no fuzz world has pages of 2^%u bytes", config->page_shift);
        return -1;
    }
    if (batch < 0) {
        snprintf(why, why_bytes, "no fuzz world has read_batch %u", config->read_batch);
        return -1;
    }
    if (config->options > 3) {
        snprintf(why, why_bytes, "no fuzz world has options 0x%x", config->options);
        return -1;
    }
    memset(header, 0, PROGRAM_HEADER_BYTES);
    header[0] = (uint8_t)((uint32_t)page | config->options << 6);
    header[1] = (uint8_t)batch;
    return 0;
}

/* The first thing that does not fit, or null. A frame more than used is kept free for what a call needs in passing. */
static const char *what_is_short(const pgr_config *have, const pgr_inspect_counts *most, uint32_t *needed,
                                 uint32_t *limit)
{
    const pgr_config *used = &most->config;
    struct {
        const char *name;
        uint32_t needed, limit;
    } const counts[] = {
        {"frames", used->frame_count + 1, have->frame_count},
        {"objects", used->object_count + 1, have->object_count},
        {"handles", used->handle_count + 1, have->handle_count},
        {"threads", used->thread_count, have->thread_count},
        {"packets", used->packet_count + 1, have->packet_count},
        {"runs", used->run_count + used->run_count / 4 + 4, have->run_count},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].needed <= counts[i].limit)
            continue;
        *needed = counts[i].needed;
        *limit = counts[i].limit;
        return counts[i].name;
    }
    return NULL;
}

int header_for_counts(const pgr_inspect_counts *most, uint8_t header[PROGRAM_HEADER_BYTES], char *why, size_t why_bytes)
{
    const char *name = NULL;
    uint32_t needed = 0, limit = 0;
    for (uint32_t i = 0; i < CLASSES; i++) {
        name = what_is_short(&classes[classes_by_size[i]], most, &needed, &limit);
        if (name)
            continue;
        int choice = choice_of(class_choices, CLASS_CHOICES, classes_by_size[i]);
        header[0] = (uint8_t)((header[0] & ~0x38u) | (uint32_t)choice << 3);
        return 0;
    }
    snprintf(why, why_bytes, "needs %u %s; the largest fuzz world has %u", needed, name, limit);
    return -1;
}
