#include "api/pages.h"

#include "api/api.h"
#include "api/embedded.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOADS_NOTHING                                                                              \
	"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "

/* Swagger UI has its icons as data: in its style sheet. */
#define DOCS_POLICY                                                                                \
	LOADS_NOTHING                                                                              \
	"script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"

/* Redoc makes two style elements: one is empty and is filled by script, and one has the style of scroll bars. Their
 * hashes do, so that 'unsafe-inline' is not needed. It searches in a worker that it makes from its own text. */
#define REFERENCE_POLICY                                                                           \
	LOADS_NOTHING                                                                              \
	"script-src 'self'; style-src 'self' "                                                     \
	"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "                                   \
	"'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; "                                  \
	"img-src 'self' data:; connect-src 'self'; worker-src blob:"

#define ERRORS_POLICY LOADS_NOTHING "style-src 'self'; img-src 'self'"

#define HTML   "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"

enum { FILE_LIMIT = 16 * 1024 * 1024 };

/* A file of the folder, which is larger than what is worth to have in the program. */
struct foreign {
	const char *name; /* in /docs/assets/ */
	const char *file; /* in the folder, as npm lays it out */
	const char *type;
};

static const struct foreign foreign_files[] = {
	{"swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui-bundle.js", SCRIPT},
	{"swagger-ui.css", "swagger-ui-dist/swagger-ui.css", STYLE},
	{"favicon-32x32.png", "swagger-ui-dist/favicon-32x32.png", "image/png"},
	{"redoc.standalone.js", "redoc/bundles/redoc.standalone.js", SCRIPT},
};

/* The program's own files in /docs/assets/. */
static const struct {
	const char *name;
	const char *type;
} own_files[] = {{"docs.js", SCRIPT}, {"redoc.js", SCRIPT}, {"page.css", STYLE}};

static const struct {
	const char *path;
	const char *file;  /* of pages/ */
	const char *needs; /* a file of the folder; NULL: none */
	const char *package;
	const char *policy;
} known_pages[] = {
	{"/docs", "docs.html", "swagger-ui-bundle.js", "swagger-ui-dist", DOCS_POLICY},
	{"/redoc", "redoc.html", "redoc.standalone.js", "redoc", REFERENCE_POLICY},
	{HTTP_PROBLEM_PAGE, "errors.html", NULL, NULL, ERRORS_POLICY},
};

enum {
	FOREIGN = array_length(foreign_files),
	OWN = array_length(own_files),
	PAGES = array_length(known_pages),
};

struct api_pages {
	struct http_kept foreign[FOREIGN]; /* without text: the file is missing */
	struct http_kept own[OWN];
	struct http_kept pages[PAGES];
	struct http_kept document;
	char *errors;
	char *folder;
};

static struct ss_text embedded(const char *name)
{
	for (size_t i = 0; i < page_files_count; i++) {
		if (strcmp(page_files[i].name, name) == 0)
			return (struct ss_text){page_files[i].text, page_files[i].length};
	}
	abort(); /* the build would lack it */
}

/* Reads PATH into FORM if there is such a file. */
static int read_form(const char *path, struct http_form *form, struct ss_error *err)
{
	char *data = NULL;
	size_t length = 0;
	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(path, FILE_LIMIT, &data, &length, err) < 0)
		return -1;
	*form = http_form_of((struct ss_text){data, length});
	return 0;
}

static int read_foreign(const char *folder, const struct foreign *file, struct http_kept *kept,
	struct ss_error *err)
{
	char *path = memory_format("%s/%s", folder, file->file);
	char *packed = memory_format("%s.gz", path);
	kept->type = file->type;
	int result = read_form(path, &kept->plain, err);
	if (result == 0)
		result = read_form(packed, &kept->gzip, err);
	free(path);
	free(packed);
	return result;
}

/* The page of all kinds of problems. New. */
static char *print_errors(void)
{
	static const char place[] = "<!-- kinds -->\n";
	const char *page = embedded("errors.html").data;
	const char *at = strstr(page, place);
	struct buffer out = {0};
	buffer_add(&out, page, (size_t)(at - page));
	for (size_t i = 0; i < http_problem_kind_count; i++) {
		const struct http_problem_kind *kind = &http_problem_kinds[i];
		buffer_add_format(&out,
			"<section id=\"%s\">\n<h2>%d %s</h2>\n"
			"<p><code>" HTTP_PROBLEM_PAGE "#%s</code></p>\n"
			"<p>%s</p>\n<p><strong>What to do:</strong> %s</p>\n</section>\n",
			kind->slug, kind->status, kind->title, kind->slug, kind->meaning,
			kind->advice);
	}
	buffer_add_string(&out, at + strlen(place));
	return buffer_take(&out);
}

static void make_pages(struct api_pages *pages)
{
	for (size_t i = 0; i < PAGES; i++) {
		bool errors = strcmp(known_pages[i].file, "errors.html") == 0;
		struct ss_text text =
			errors ? text_of(pages->errors) : embedded(known_pages[i].file);
		pages->pages[i] = (struct http_kept){
			.type = HTML, .policy = known_pages[i].policy, .plain = http_form_of(text)};
	}
	for (size_t i = 0; i < OWN; i++)
		pages->own[i] = (struct http_kept){.type = own_files[i].type,
			.plain = http_form_of(embedded(own_files[i].name))};
}

struct api_pages *api_pages_new(
	const char *folder, const struct ss_value *document, struct ss_error *err)
{
	struct api_pages *pages = memory_make(struct api_pages);
	char *text = json_text(document);
	pages->document = (struct http_kept){
		.type = "application/json",
		.plain = http_form_of(text_of(text)),
		.gzip = http_form_packed(text_of(text)),
	};
	pages->folder = memory_string(folder);
	pages->errors = print_errors();
	make_pages(pages);
	for (size_t i = 0; i < FOREIGN && folder[0] != '\0'; i++) {
		if (read_foreign(folder, &foreign_files[i], &pages->foreign[i], err) < 0) {
			api_pages_free(pages);
			return NULL;
		}
	}
	return pages;
}

void api_pages_free(struct api_pages *pages)
{
	if (pages == NULL)
		return;
	for (size_t i = 0; i < FOREIGN; i++) {
		free((char *)pages->foreign[i].plain.text.data);
		free((char *)pages->foreign[i].gzip.text.data);
	}
	free((char *)pages->document.plain.text.data);
	free((char *)pages->document.gzip.text.data);
	free(pages->errors);
	free(pages->folder);
	free(pages);
}

const struct http_kept *api_pages_document(const struct api_pages *pages)
{
	return &pages->document;
}

/* What is NAME in /docs/assets/; without text: it is not installed. NULL: there is no such file. */
static const struct http_kept *find_file(const struct api_pages *pages, const char *name)
{
	for (size_t i = 0; i < FOREIGN; i++) {
		if (strcmp(foreign_files[i].name, name) == 0)
			return &pages->foreign[i];
	}
	for (size_t i = 0; i < OWN; i++) {
		if (strcmp(own_files[i].name, name) == 0)
			return &pages->own[i];
	}
	return NULL;
}

static void reply_missing(
	struct http_request *request, const struct api_pages *pages, const char *package)
{
	char *detail =
		pages->folder[0] == '\0'
			? memory_format("this page needs the npm package %s: set docs in the "
					"section server of the configuration to the folder "
					"that it is installed in",
				  package)
			: memory_format("this page needs the npm package %s, which is not in "
					"the folder that docs in the section server of the "
					"configuration names: install it there (npm ci) and "
					"start the server again",
				  package);
	http_reply_problem(request, 503, detail, NULL);
	free(detail);
}

void api_page(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const char *path = api_operation_of(request)->path;
	size_t i = 0;
	while (strcmp(known_pages[i].path, path) != 0)
		i++;
	const char *needs = known_pages[i].needs;
	if (needs != NULL && find_file(api->pages, needs)->plain.text.length == 0)
		reply_missing(request, api->pages, known_pages[i].package);
	else
		http_reply_kept(request, &api->pages->pages[i]);
}

void api_page_file(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const char *name = api_parameter_text(request, "name");
	const struct http_kept *kept = find_file(api->pages, name);
	if (kept == NULL || kept->plain.text.length == 0)
		http_reply_problem(request, 404,
			kept == NULL ? "there is no such file" : "this file is not installed",
			NULL);
	else
		http_reply_kept(request, kept);
}
