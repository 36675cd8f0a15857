// Where models are found, and reading one from its file.

#ifndef KSR_NET_LIBRARY_H
#define KSR_NET_LIBRARY_H

#include "core/log.h"
#include "net/net.h"
#include "net/networks.h"

#define KSR_MODEL_DEFAULT "anime-quality"

// Loads a model into the engine. name: of a bundled model, or the path of a .ksrnet file (with a
// slash or that ending); NULL = KSR_MODEL_DEFAULT. Bundled models are looked for in
// $KIZUNASR_MODELS if that is set, else in share/kizunasr/models of the tree that the library is
// installed in, else in the source tree of the build, else in the prefix of the build.
// variant: of a model that has some; NULL: its first. *out: free with ksr_net_destroy().
// Returns KSR_OK, KSR_E_MODEL, KSR_E_PARAM (it has no such variant; both logged), KSR_E_NOMEM.
ksr_status ksr_model_load(ksr_context *ctx, const char *name, const char *variant, ksr_net **out);

// Returns the path of a model's file, free with free(); NULL when out of memory. name: a path if it
// has a slash or ends in .ksrnet or .onnx, else of a bundled model. end: of its file, ".onnx".
char *ksr_model_find(const char *name, const char *end);

// Returns whether a name (NULL = the default) is that of an .onnx file.
bool ksr_model_is_onnx(const char *name);

// *names: the names of the bundled models' files, in order, *count of them; free with
// ksr_model_free_names(). Returns KSR_OK, KSR_E_MODEL (the folder cannot be read; logged),
// KSR_E_NOMEM.
ksr_status ksr_model_list(ksr_context *ctx, char ***names, size_t *count);
void ksr_model_free_names(char **names, size_t count);

// Returns the folder where bundled models are.
const char *ksr_model_folder(void);

#endif
