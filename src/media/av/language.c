// Codes of languages; see language.h.

#include "media/av/language.h"

#include <ctype.h>
#include <string.h>

// ISO 639-1 and ISO 639-2/B, as "jajpn": two letters and the three that stand for them.
static const char codes[] =
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel "
    "bgbul bhbih bibis bmbam bnben botib brbre bsbos cacat ceche chcha cocos crcre cscze "
    "cuchu cvchv cywel dadan deger dvdiv dzdzo eeewe elgre eneng eoepo esspa etest eubaq "
    "faper ffful fifin fjfij fofao frfre fyfry gagle gdgla glglg gngrn guguj gvglv hahau "
    "heheb hihin hohmo hrhrv hthat huhun hyarm hzher iaina idind ieile igibo iiiii ikipk "
    "ioido isice itita iuiku jajpn jvjav kageo kgkon kikik kjkua kkkaz klkal kmkhm knkan "
    "kokor krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin lolao ltlit "
    "lulub lvlav mgmlg mhmah mimao mkmac mlmal mnmon mrmar msmay mtmlt mybur nanau nbnob "
    "ndnde nenep ngndo nldut nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs "
    "papan pipli plpol pspus ptpor quque rmroh rnrun rorum rurus rwkin sasan scsrd sdsnd "
    "sesme sgsag sisin skslo slslv smsmo snsna sosom sqalb srsrp ssssw stsot susun svswe "
    "swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn toton trtur tstso tttat twtwi "
    "tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor zazha "
    "zhchi zuzul";

#define ENTRY 6 // characters, with the space

// Length of the letters at the beginning.
static size_t primary_length(const char *text)
{
    size_t length = 0;
    while (isascii((unsigned char)text[length]) && isalpha((unsigned char)text[length]))
        length++;
    return length;
}

bool ksr_language_is_tag(const char *text, size_t length)
{
    size_t part = 0;
    const size_t primary = primary_length(text);
    if (primary < 2 || primary > 3 || length >= KSR_LANGUAGE_TAG_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        part = c == '-' ? 0 : part + 1;
        if (c == '-' ? i < primary || text[i - 1] == '-' : !isascii(c) || !isalnum(c) || part > 8)
            return false;
    }
    return part > 0;
}

bool ksr_language_letters(const char *tag, char out[4])
{
    const size_t length = primary_length(tag);
    char letters[4] = "";
    if ((length != 2 && length != 3) || (tag[length] && tag[length] != '-'))
        return false;
    for (size_t i = 0; i < length; i++)
        letters[i] = (char)tolower((unsigned char)tag[i]);
    memcpy(out, letters, sizeof(letters));
    for (const char *entry = codes; length == 2; entry += ENTRY) {
        if (memcmp(entry, letters, 2) == 0)
            memcpy(out, entry + 2, 3);
        if (out[2])
            return true;
        if (!entry[ENTRY - 1])
            return false;
    }
    return true;
}
