#include "app/command.h"

#include <smartsupport/abi.h>
#include <string.h>

int command_version(int argc, char **argv)
{
	if (argc > 1) {
		bool help = strcmp(argv[1], "--help") == 0;
		(void)fprintf(help ? stdout : stderr, "Usage: smartsupport version\n\n"
						      "Prints the version and the plugin ABI.\n");
		return help ? 0 : 2;
	}
	(void)printf("smartsupport %s, plugin ABI %u.%u\n", SS_VERSION, SS_ABI_MAJOR, SS_ABI_MINOR);
	return 0;
}
