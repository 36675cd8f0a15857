// The table of verbs; see verbs.h. A new verb is a line here, a bit in verbs.h, a file of its own,
// and the bit in the options that it takes (option_table.c).

#include "verbs.h"

#include <string.h>

static const struct verb verbs[] = {
    {.name = "upscale",
     .bit = VERB_UPSCALE,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "upscales a video; resumes automatically",
     .description = "Upscales a video and copies all other streams. If it is interrupted, run the\n"
                    "same command again to resume. OUTPUT appears when it is complete and checked.",
     .examples = {"kizunasr upscale input.mkv output.mkv",
                  "kizunasr upscale input.mkv output.mkv --scale 4 --codec libx265 --crf 16"},
     .run = run_upscale},
    {.name = "batch",
     .bit = VERB_BATCH,
     .arguments = {"INPUT..."},
     .many = true,
     .summary = "upscales many videos: files, folders, patterns, lists",
     .description = "Upscales videos into a folder. Continues after failures, skips finished ones.",
     .examples = {"kizunasr batch season1/ 'ova/*.mkv' --output-dir 4k --name '{name}-4k.mkv'"},
     .run = run_batch},
    {.name = "plan",
     .bit = VERB_PLAN,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "writes the work folder, prints the number of segments",
     .description =
         "Divides a video into segments for 'kizunasr work' and writes the work folder.\n"
         "Prints the number of segments; they are counted from 0.",
     .examples = {"kizunasr plan input.mkv output.mkv",
                  "kizunasr plan input.mkv output.mkv --scale 4 --work-dir /shared/job"},
     .run = run_plan},
    {.name = "work",
     .bit = VERB_WORK,
     .arguments = {"FOLDER"},
     .summary = "encodes segments of a planned job, on any machine",
     .description =
         "Encodes the given segments of a work folder, or all that are missing. Several\n"
         "of these may run at once, on all machines that share the folder and the input.",
     .examples = {"kizunasr work output.mkv.kizunasr",
                  "kizunasr work /shared/job --segment 3 --segment 4"},
     .run = run_work},
    {.name = "join",
     .bit = VERB_JOIN,
     .arguments = {"FOLDER"},
     .summary = "makes the output from the finished segments",
     .description =
         "Joins the segments of a work folder with the other streams, checks the output,\n"
         "puts it in place and removes the folder.",
     .examples = {"kizunasr join output.mkv.kizunasr", "kizunasr join /shared/job --keep-work"},
     .run = run_join},
    {.name = "probe",
     .bit = VERB_PROBE,
     .arguments = {"FILE"},
     .summary = "shows streams, exact frame count, timing and colour",
     .description = "Reads a whole file once and describes it.",
     .examples = {"kizunasr probe input.mkv", "kizunasr probe input.mkv --picture --json"},
     .run = run_probe},
    {.name = "verify",
     .bit = VERB_VERIFY,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "compares an output with its input",
     .description = "Compares a finished output with its input: frames, timestamps, every stream,\n"
                    "audio, chapters, and every frame: similarity, order, position, colours,\n"
                    "banding, ringing.",
     .examples = {"kizunasr verify input.mkv output.mkv",
                  "kizunasr verify input.mkv output.mkv --provenance output.json --json"},
     .run = run_verify},
    {.name = "report",
     .bit = VERB_REPORT,
     .arguments = {"INPUT", "OUTPUT"},
     .summary = "writes an HTML report: before/after, plots, checks",
     .description = "Verifies an output and writes the results as one self-contained HTML file:\n"
                    "before/after of the worst, the median and chosen frames, measures over time,\n"
                    "streams, settings.",
     .examples = {"kizunasr report input.mkv output.mkv -o report.html",
                  "kizunasr report input.mkv output.mkv -o report.html --at 12:30 --frame 100"},
     .run = run_report},
    {.name = "preview",
     .bit = VERB_PREVIEW,
     .arguments = {"INPUT"},
     .summary = "upscales samples, estimates time and size of the whole",
     .description = "Upscales a few seconds from several places of a video, writes them with a\n"
                    "report each to a folder, and estimates time and size of the whole job.",
     .examples = {"kizunasr preview input.mkv --scale 4",
                  "kizunasr preview input.mkv --start 10:00 --duration 20 -o samples"},
     .run = run_preview},
    {.name = "config",
     .bit = VERB_CONFIG,
     .summary = "prints settings as the JSON that --config reads",
     .description =
         "Prints the settings that result from the options and a settings file, including\n"
         "defaults, as JSON that --config reads. Reads no video.",
     .examples = {"kizunasr config --scale 4 --crf 16 > anime.json",
                  "kizunasr config --schema > kizunasr.schema.json"},
     .run = run_config},
    {.name = "models",
     .bit = VERB_MODELS,
     .arguments = {"[MODEL]..."},
     .many = true,
     .summary = "lists networks, their speed here, their cards",
     .description =
         "Lists the bundled networks: what each is for and, on a terminal, how fast it is\n"
         "on this machine, which takes a second. With names or files, opens these and\n"
         "shows their input and output, and the card of a network: figures, what is\n"
         "worse, data and licences. .onnx files are run with ONNX Runtime for this.",
     .examples = {"kizunasr models", "kizunasr models anime-best"},
     .run = run_models},
    {.name = "devices",
     .bit = VERB_DEVICES,
     .summary = "lists the devices that --device accepts here",
     .description =
         "Lists the devices that can run the stages and the models on this machine, and\n"
         "the ONNX Runtime that was found.",
     .examples = {"kizunasr devices", "kizunasr devices --json"},
     .run = run_devices},
    {.name = "bench",
     .bit = VERB_BENCH,
     .summary = "measures the speed of this machine",
     .description = "Measures each stage, all stages and the networks with increasing numbers of\n"
                    "threads, and the peak rates of memory and arithmetic. GPUs named by --device\n"
                    "are measured as well and compared with the processor.",
     .examples = {"kizunasr bench --size 1280x720 --json", "kizunasr bench --device vulkan:0"},
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
