// Makes the plan in a work folder expect another size of the output: its check will fail, as it
// would for a file that went wrong.
//
//   spoil FOLDER

#include <stdio.h>

#include "job/manifest.h"

int main(int argc, char **argv)
{
    struct ksr_manifest manifest = {0};
    if (argc != 2 || ksr_manifest_load(NULL, argv[1], &manifest) != KSR_OK)
        return 1;
    manifest.film.format.width *= 3;
    const ksr_status status = ksr_manifest_save(NULL, &manifest, argv[1]);
    ksr_manifest_free(&manifest);
    return status == KSR_OK ? 0 : 1;
}
