/* `smartsupport graph`: a workflow as a drawing. Runs nothing and needs no model. */
#include "app/command.h"
#include "app/runtime.h"
#include "base/file.h"
#include "base/memory.h"
#include "graph/draw.h"
#include "support/support.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: smartsupport graph [FILE] [--format mermaid|dot|svg] [--output FILE] [--config "
	"FILE]\n\n"
	"Draws the workflow FILE, by default the configured one. Mistakes in it are printed as\n"
	"FILE:LINE:COLUMN: what is wrong; then nothing is drawn, and the exit code is 1.\n\n"
	"  -f, --format FORMAT  mermaid (the default), dot (for Graphviz) or svg (a picture)\n"
	"  -o, --output FILE    where to write it, by default to the terminal\n"
	"  -c, --config FILE    the configuration that names the plugins' folders and the "
	"workflow\n"
	"  -h, --help           this text\n";

static const struct {
	const char *name;
	enum graph_format format;
} formats[] = {{"mermaid", GRAPH_MERMAID}, {"dot", GRAPH_DOT}, {"svg", GRAPH_SVG}};

struct arguments {
	const char *file, *output, *config;
	enum graph_format format;
};

static int write_drawing(const struct buffer *drawing, const char *file)
{
	struct ss_error err = {0};
	if (file == NULL) {
		/* Whether it arrives is seen when the program ends, as for every command. */
		(void)fwrite(drawing->data, 1, drawing->length, stdout);
		return 0;
	}
	if (file_write(file, drawing->data, drawing->length, &err) == 0)
		return 0;
	(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	return -1;
}

static int draw(const struct config *config, const struct arguments *arguments)
{
	struct diagnostics diagnostics = {0};
	struct buffer drawing = {0};
	struct plugins *plugins = runtime_plugins(config, false);
	struct graph *graph =
		arguments->file != NULL
			? graph_load(arguments->file, plugins, NULL, &diagnostics)
			: graph_load(config->workflow, plugins, support_inputs, &diagnostics);
	int code = 1;
	if (graph != NULL) {
		graph_draw(graph, arguments->format, &drawing);
		code = write_drawing(&drawing, arguments->output) == 0 ? 0 : 1;
	} else {
		diagnostics_print(&diagnostics, stderr);
		(void)fprintf(stderr, "%zu mistake%s\n", diagnostics.count,
			diagnostics.count == 1 ? "" : "s");
	}
	buffer_free(&drawing);
	graph_free(graph);
	plugins_free(plugins);
	diagnostics_free(&diagnostics);
	return code;
}

static int read_format(const char *name, enum graph_format *format)
{
	for (size_t i = 0; i < array_length(formats); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*format = formats[i].format;
			return 0;
		}
	}
	(void)fprintf(
		stderr, "smartsupport: --format takes mermaid, dot or svg, not \"%s\"\n", name);
	return -1;
}

/* Returns -1 to go on, else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "f:o:c:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (read_format(optarg, &arguments->format) < 0)
				return 2;
			break;
		case 'o':
			arguments->output = optarg;
			break;
		case 'c':
			arguments->config = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return 0;
		default:
			(void)fputs(help, stderr);
			return 2;
		}
	}
	if (argc - optind > 1) {
		(void)fprintf(stderr, "smartsupport: graph draws one workflow\n\n%s", help);
		return 2;
	}
	arguments->file = argv[optind];
	return -1;
}

int command_graph(int argc, char **argv)
{
	struct arguments arguments = {.format = GRAPH_MERMAID};
	int code = read_arguments(argc, argv, &arguments);
	if (code >= 0)
		return code;
	struct config *config = command_config(arguments.config);
	if (config == NULL)
		return 1;
	code = draw(config, &arguments);
	config_free(config);
	return code;
}
