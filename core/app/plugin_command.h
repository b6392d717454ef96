/* The commands of `smartsupport plugin`, called as those of the program are. */
#ifndef APP_PLUGIN_COMMAND_H
#define APP_PLUGIN_COMMAND_H

int plugin_check(int argc, char **argv);
int plugin_new(int argc, char **argv);
int plugin_list(int argc, char **argv);

#endif
