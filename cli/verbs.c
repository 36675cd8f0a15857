// The table of verbs; see verbs.h. A new verb is a line here, a bit in verbs.h, a file of its own,
// and the bit in the options that it takes (options.c).

#include "verbs.h"

#include <string.h>

static const struct verb verbs[] = {
    {.name = "upscale",
     .bit = VERB_UPSCALE,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "the main job; resumes by itself",
     .description =
         "Upscales a film. All other streams go along. If it is interrupted, the same\n"
         "command goes on where it stopped. OUTPUT appears when it is whole and checked.",
     .examples = {"kizunasr upscale film.mkv film-4k.mkv",
                  "kizunasr upscale film.mkv out.mkv --scale 4 --codec libx265 --crf 16"},
     .run = run_upscale},
    {.name = "batch",
     .bit = VERB_BATCH,
     .arguments = {"INPUT..."},
     .many = true,
     .summary = "many films: files, folders, patterns, lists",
     .description =
         "Upscales many films into a folder. Goes on after failures, skips what is done.",
     .examples = {"kizunasr batch season1/ 'ova/*.mkv' --output-dir 4k --name '{name}-4k.mkv'"},
     .run = run_batch},
    {.name = "plan",
     .bit = VERB_PLAN,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "writes the work folder, prints the number of segments",
     .description = "Cuts a film into segments for 'kizunasr work' and writes the work folder.\n"
                    "Prints the number of segments; they are counted from 0.",
     .examples = {"kizunasr plan film.mkv film-4k.mkv",
                  "kizunasr plan film.mkv out.mkv --scale 4 --work-dir /shared/film"},
     .run = run_plan},
    {.name = "work",
     .bit = VERB_WORK,
     .arguments = {"FOLDER"},
     .summary = "makes segments of a planned film, on any machine",
     .description =
         "Makes the named segments of a work folder, or all that are missing. Any number\n"
         "of these may run at once, on any machines that see the folder and the input.",
     .examples = {"kizunasr work film-4k.mkv.kizunasr",
                  "kizunasr work /shared/film --segment 3 --segment 4"},
     .run = run_work},
    {.name = "join",
     .bit = VERB_JOIN,
     .arguments = {"FOLDER"},
     .summary = "makes the output from the finished segments",
     .description =
         "Joins the segments of a work folder with the other streams, checks the output,\n"
         "puts it in its place and removes the folder.",
     .examples = {"kizunasr join film-4k.mkv.kizunasr", "kizunasr join /shared/film --keep-work"},
     .run = run_join},
    {.name = "probe",
     .bit = VERB_PROBE,
     .arguments = {"FILE"},
     .summary = "shows streams, exact frame count, timing and colour",
     .description = "Reads a whole file once and describes it.",
     .examples = {"kizunasr probe film.mkv", "kizunasr probe film.mkv --json"},
     .run = run_probe},
    {.name = "verify",
     .bit = VERB_VERIFY,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "compares an output with its input",
     .description = "Compares a finished output with its input: frames, timestamps, every stream,\n"
                    "sound, chapters, and the pictures: likeness, order, position, colours,\n"
                    "banding, ringing. Decodes every frame of both.",
     .examples = {"kizunasr verify film.mkv film-4k.mkv",
                  "kizunasr verify film.mkv film-4k.mkv --provenance film-4k.json --json"},
     .run = run_verify},
    {.name = "report",
     .bit = VERB_REPORT,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "writes a page: before and after, plots, checks",
     .description =
         "Verifies an output and writes what it finds as one HTML file that needs nothing\n"
         "else: before and after of the worst, the median and chosen frames, measures\n"
         "over time, streams, settings.",
     .examples = {"kizunasr report film.mkv film-4k.mkv -o film.html",
                  "kizunasr report film.mkv film-4k.mkv -o film.html --at 12:30 --frame 100"},
     .run = run_report},
    {.name = "preview",
     .bit = VERB_PREVIEW,
     .arguments = {"INPUT"},
     .summary = "upscales samples, says what the whole would take",
     .description =
         "Upscales a few seconds from several places of a film, writes them with a report\n"
         "each to a folder, and estimates time and size of the whole film.",
     .examples = {"kizunasr preview film.mkv --scale 4",
                  "kizunasr preview film.mkv --start 10:00 --duration 20 -o look"},
     .run = run_preview},
    {.name = "config",
     .bit = VERB_CONFIG,
     .summary = "prints settings as the JSON that --config reads",
     .description =
         "Prints the settings that the options and a settings file come to, defaults and\n"
         "all, as JSON that --config reads. Reads no film.",
     .examples = {"kizunasr config --scale 4 --crf 16 > anime.json",
                  "kizunasr config --schema > kizunasr.schema.json"},
     .run = run_config},
    {.name = "models",
     .bit = VERB_MODELS,
     .arguments = {"[MODEL]..."},
     .many = true,
     .summary = "lists models, or tells what one takes and gives",
     .description =
         "Lists the bundled models. With names or files, opens these and tells what they\n"
         "take and give; .onnx files are tried out with ONNX Runtime.",
     .examples = {"kizunasr models", "kizunasr models model.onnx --json"},
     .run = run_models},
    {.name = "devices",
     .bit = VERB_DEVICES,
     .summary = "lists what --device can be here",
     .description = "Lists what can run the stages and the models on this machine, and which\n"
                    "ONNX Runtime was found.",
     .examples = {"kizunasr devices", "kizunasr devices --json"},
     .run = run_devices},
    {.name = "bench",
     .bit = VERB_BENCH,
     .summary = "measures how fast this machine is",
     .description =
         "Measures the stages one by one, all of them and the networks on more and more\n"
         "threads, and what memory and arithmetic of this machine can do at most.",
     .examples = {"kizunasr bench", "kizunasr bench --size 1280x720 --json"},
     .run = run_bench},
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

const struct verb *verbs_all(size_t *count)
{
    *count = VERB_COUNT;
    return verbs;
}

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}
