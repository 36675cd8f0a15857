// The options of a verb, one by one; see catalogue.h.

#include "catalogue.h"

#include <stdio.h>
#include <string.h>

// What the library does not know of its fields: what a value is called, what is usually wanted.
static const struct {
    const char *field, *value, *choices;
    const char *brief; // not NULL: it stands in the short list
} known[] = {
    {"ai_color", "MODE", "", NULL},
    {"ai_model_path", "NAME|FILE", "anime-quality|anime-fast",
     "anime-quality (default), anime-fast, or a file"},
    {"audio", "LIST", "all|none", NULL},
    {"audio_bitrate", "RATE", "128k|192k|256k|320k", NULL},
    {"audio_codec", "NAME", "auto|aac|flac|libopus|libmp3lame|ac3", NULL},
    {"audio_passthrough", "BOOL", "", NULL},
    {"bitrate", "RATE", "", NULL},
    {"codec", "NAME", "auto|libx264|libx265|libvpx-vp9|ffv1",
     "encoder, by its FFmpeg name (default libx264)"},
    {"crf", "N", "", "quality, 0 (lossless) to 63; default 18"},
    {"crop", "W:H:X:Y", "", NULL},
    {"deinterlace", "frame|field", "frame|field", NULL},
    {"denoise", "X", "auto|0", NULL},
    {"duration", "TIME", "", NULL},
    {"enable_temporal", "BOOL", "", "calm what does not move"},
    {"fit", "WxH", "1280x720|1920x1080|2560x1440|3840x2160",
     "scale down to within 1920x1080, or so"},
    {"format", "NAME", "auto|matroska|mp4|mov|webm|mpegts|avi", NULL},
    {"framerate", "RATE", "24|24000/1001|25|30|30000/1001", NULL},
    {"on_frame_error", "WHAT", "", NULL},
    {"pixel_format", "NAME", "auto|yuv420p|yuv420p10le|yuv422p10le|yuv444p|yuv444p10le", NULL},
    {"preset", "NAME",
     "ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow|placebo",
     "ultrafast ... medium (default) ... placebo"},
    {"sharpening", "X", "", "0 (off, default) to 2"},
    {"sub", "FILE", "", NULL},
    {"subs", "LIST", "all|none", NULL},
    {"start", "TIME", "", "a piece: from 1:30; with --duration, 20 s long"},
    {"video", "N", "", NULL},
    {"use_ai", "BOOL", "", "a network upscales, not filters"},
};

const char *catalogue_group(enum option_group group)
{
    static const char *const titles[GROUP_COUNT] = {"Main", "Picture", "Encoder", "Audio",
                                                    "Running"};
    return titles[group];
}

static enum option_group field_group(const struct ksr_config_field *field)
{
    if (strncmp(field->name, "audio", 5) == 0)
        return GROUP_AUDIO;
    if (strcmp(field->object, "pipeline") == 0)
        return GROUP_PICTURE;
    return strcmp(field->object, "encoder") == 0 ? GROUP_ENCODER : GROUP_MAIN;
}

// Returns whether the table has a shorter name for just this field.
static bool has_short_name(const struct ksr_config_field *field)
{
    size_t count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].kind == OPTION_FIELD && !table[i].fields[1] &&
            strcmp(table[i].fields[0], field->name) == 0)
            return true;
    return false;
}

static const char *value_name(const struct ksr_config_field *field)
{
    static const char *const names[][2] = {
        {"bool", "BOOL"}, {"int", "N"}, {"number", "X"}, {"map", "K=V"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(field->type, names[i][0]) == 0)
            return names[i][1];
    return "TEXT";
}

// "2 or 4" -> "2|4", "abort, repeat or skip" -> "abort|repeat|skip"; other ranges are no lists.
static void list_range(char *out, size_t size, const char *range)
{
    size_t length = 0;
    out[0] = 0;
    if (!strstr(range, " or ") || strchr(range, ':') || strstr(range, " to "))
        return;
    for (const char *c = range; *c && length < size;) {
        const size_t word = strcspn(c, ", ");
        length += (size_t)snprintf(out + length, size - length, "%s%.*s", length ? "|" : "",
                                   (int)word, c);
        c += word;
        c += strspn(c, ", ");
        if (strncmp(c, "or ", 3) == 0)
            c += 3;
    }
}

static void describe_field(struct entry *e, const struct ksr_config_field *field)
{
    const bool is_bool = strcmp(field->type, "bool") == 0;
    const char *range = is_bool ? "" : field->range;
    const char *preset = field_is_switch(field) ? "" : field->default_value;
    e->attached = field_is_switch(field);
    snprintf(e->help, sizeof(e->help), "%s", field->help);
    snprintf(e->value, sizeof(e->value), "%s", value_name(field));
    snprintf(e->limits, sizeof(e->limits), "%s%s%s%s", range, *range && *preset ? "; " : "",
             *preset ? "default\t" : "", preset);
    if (is_bool)
        snprintf(e->choices, sizeof(e->choices), "true|false");
    else
        list_range(e->choices, sizeof(e->choices), field->range);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].field, field->name) != 0)
            continue;
        snprintf(e->value, sizeof(e->value), "%s", known[i].value);
        if (*known[i].choices)
            snprintf(e->choices, sizeof(e->choices), "%s", known[i].choices);
        e->common = known[i].brief != NULL;
        if (known[i].brief)
            snprintf(e->brief, sizeof(e->brief), "%s", known[i].brief);
    }
}

static struct entry entry_of_option(const struct option *option)
{
    struct entry e = {.group = option->group};
    const struct ksr_config_field *field =
        option->kind == OPTION_FIELD ? field_find(option->fields[0]) : NULL;
    if (field)
        describe_field(&e, field);
    if (option->help) {
        snprintf(e.help, sizeof(e.help), "%s", option->help);
        e.limits[0] = 0;
    }
    snprintf(e.name, sizeof(e.name), "%s", option->name);
    if (option->value || !field)
        snprintf(e.value, sizeof(e.value), "%s", option->value ? option->value : "");
    e.attached = e.attached || option->kind == OPTION_MODE;
    if (option->kind == OPTION_CHOICE || option->kind == OPTION_MODE ||
        (option->value && strcmp(option->value, "2|4") == 0))
        snprintf(e.choices, sizeof(e.choices), "%s", option->value);
    e.common = e.common || option->common;
    if (option->brief)
        snprintf(e.brief, sizeof(e.brief), "%s", option->brief);
    return e;
}

static size_t add_fields(enum option_group group, struct entry *out, size_t count)
{
    size_t fields_count;
    const struct ksr_config_field *fields = ksr_config_fields(&fields_count);
    for (size_t i = 0; i < fields_count && count < ENTRIES_MAX; i++) {
        if (!field_is_option(&fields[i]) || field_group(&fields[i]) != group ||
            has_short_name(&fields[i]))
            continue;
        out[count] = (struct entry){.group = group};
        describe_field(&out[count], &fields[i]);
        field_option_name(out[count].name, sizeof(out[count].name), &fields[i]);
        count++;
    }
    return count;
}

size_t catalogue_of(const struct verb *verb, struct entry *out)
{
    size_t table_count, count = 0;
    const struct option *table = options_table(&table_count);
    for (int group = 0; group < GROUP_COUNT; group++) {
        for (size_t i = 0; i < table_count && count < ENTRIES_MAX; i++)
            if ((int)table[i].group == group && table[i].verbs & verb->bit)
                out[count++] = entry_of_option(&table[i]);
        if (verb->bit & VERBS_WITH_SETTINGS)
            count = add_fields((enum option_group)group, out, count);
    }
    return count;
}
