/* The report as a page: tables, and plots as SVG. It loads nothing and runs nothing. */
#include "base/memory.h"
#include "learn/report.h"

#include <math.h>
#include <stdio.h>

/* A plot's square and the margins for its labels, in SVG units. */
enum { SIDE = 300, LEFT = 62, TOP = 10, BOTTOM = 40, RIGHT = 24 };

static const char style[] =
	":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d5dae1;--page:#fff;"
	"--accent:28 94 168;--wrong:178 58 46}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa5b4;--line:#39424e;"
	"--page:#151a21;--accent:104 164 232;--wrong:240 138 122}}\n"
	"body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;"
	"color:var(--ink);background:var(--page)}\n"
	"h2{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem}\n"
	"table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}\n"
	"caption{text-align:left;color:var(--soft)}\n"
	"th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--line)}\n"
	"th[scope=row],.words{text-align:left}\n"
	".heat td{text-align:center;background:rgb(var(--accent)/var(--share))}\n"
	".words td{text-align:left;overflow-wrap:anywhere}\n"
	".missed{color:rgb(var(--wrong));font-weight:600}\n"
	".plots{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:0}\n"
	"figcaption{color:var(--soft);max-width:22rem}\n"
	"svg{max-width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}\n"
	".grid{stroke:var(--line)}.ideal{stroke:var(--soft);stroke-dasharray:4 4}\n"
	".bar{fill:rgb(var(--accent)/.75)}.curve{fill:none;stroke:rgb(var(--accent));"
	"stroke-width:2}\n"
	".chosen{fill:rgb(var(--wrong))}.wish{stroke:rgb(var(--wrong));stroke-dasharray:4 4}\n";

static void add_escaped(struct buffer *page, struct ss_text text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if (c == '<')
			buffer_add_string(page, "&lt;");
		else if (c == '>')
			buffer_add_string(page, "&gt;");
		else if (c == '&')
			buffer_add_string(page, "&amp;");
		else if (c == '"')
			buffer_add_string(page, "&quot;");
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			buffer_add_char(page, ' ');
		else
			buffer_add_char(page, c);
	}
}

static void add_text(struct buffer *page, const char *text)
{
	size_t length = 0;
	while (text[length] != '\0')
		length++;
	add_escaped(page, (struct ss_text){text, length});
}

static void add_cell(struct buffer *page, const char *tag, const char *text)
{
	buffer_add_format(page, "<%s>", tag);
	add_text(page, text);
	buffer_add_format(page, "</%.2s>", tag);
}

static void add_figure(struct buffer *page, const char *name, double figure, bool is_share)
{
	buffer_add_format(page, "<tr><th scope=\"row\">%s</th>", name);
	if (isnan(figure))
		buffer_add_string(page, "<td>unknown</td></tr>\n");
	else if (is_share)
		buffer_add_format(page, "<td>%.1f %%</td></tr>\n", figure * 100);
	else
		buffer_add_format(page, "<td>%.3f</td></tr>\n", figure);
}

/* Where a share from 0 to 1 is in a plot. */
static double x_of(double share)
{
	return LEFT + share * SIDE;
}

static double y_of(double share)
{
	return TOP + (1 - share) * SIDE;
}

/* Opens a plot with grid and axes; the vertical one goes up to TOP_SHARE. */
static void open_plot(struct buffer *page, const char *title, const char *across, const char *up,
	double top_share, bool shares_across)
{
	buffer_add_format(page,
		"<figure><svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"%s\">\n",
		LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM, LEFT + SIDE + RIGHT, title);
	for (int i = 0; i <= 5; i++) {
		double share = i / 5.0;
		buffer_add_format(page,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g %%</text>\n",
			LEFT, LEFT + SIDE, y_of(share), y_of(share), LEFT - 5, y_of(share) + 4,
			share * top_share * 100);
		if (shares_across)
			buffer_add_format(page,
				"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f %%</text>\n",
				x_of(share), TOP + SIDE + 16, share * 100);
	}
	buffer_add_format(page,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>"
		"<text transform=\"translate(12 %d) rotate(-90)\" "
		"text-anchor=\"middle\">%s</text>\n",
		LEFT + SIDE / 2, TOP + SIDE + 32, across, TOP + SIDE / 2, up);
}

static void close_plot(struct buffer *page, const char *caption)
{
	buffer_add_format(page, "</svg><figcaption>%s</figcaption></figure>\n", caption);
}

static void add_bar(struct buffer *page, double from, double to, double height, const char *title)
{
	buffer_add_format(page,
		"<rect class=\"bar\" x=\"%.1f\" width=\"%.1f\" y=\"%.1f\" height=\"%.1f\">"
		"<title>%s</title></rect>\n",
		x_of(from) + 1, x_of(to) - x_of(from) - 2, y_of(height), y_of(0) - y_of(height),
		title);
}

static void add_reliability(struct buffer *page, const struct classification *figures)
{
	char title[80];
	open_plot(page, "Reliability", "confidence", "right", 1, true);
	for (size_t i = 0; i < CLASSIFICATION_BINS; i++) {
		const struct calibration_bin *bin = &figures->bins[i];
		if (bin->count == 0)
			continue;
		(void)snprintf(title, sizeof title, "%zu decisions: confidence %.2f, right %.2f",
			bin->count, bin->confidence, bin->accuracy);
		add_bar(page, (double)i / CLASSIFICATION_BINS,
			(double)(i + 1) / CLASSIFICATION_BINS, bin->accuracy, title);
	}
	buffer_add_format(page,
		"<line class=\"ideal\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		x_of(0), y_of(0), x_of(1), y_of(1));
	close_plot(page, "How often decisions of a confidence are right. On the dashed line they "
			 "are as sure as they are right.");
}

static void add_confusion(struct buffer *page, const struct task_evaluation *task)
{
	size_t count = task->label_count;
	buffer_add_string(page, "<table class=\"heat\"><caption>Confusion: a row is the right "
				"label, a column what was decided</caption>\n<tr><td></td>");
	for (size_t i = 0; i < count; i++)
		add_cell(page, "th scope=\"col\"", task->labels[i]);
	buffer_add_string(page, "</tr>\n");
	for (size_t truth = 0; truth < count; truth++) {
		buffer_add_string(page, "<tr>");
		add_cell(page, "th scope=\"row\"", task->labels[truth]);
		for (size_t i = 0; i < count; i++) {
			size_t cell = task->figures->confusion[truth * count + i];
			double all = fmax((double)task->figures->labels[truth].truth, 1);
			buffer_add_format(page, "<td style=\"--share:%.3f\">%zu</td>",
				(double)cell / all * 0.7, cell);
		}
		buffer_add_string(page, "</tr>\n");
	}
	buffer_add_string(page, "</table>\n");
}

static void add_labels(struct buffer *page, const struct task_evaluation *task)
{
	buffer_add_string(page, "<table><tr><td></td><th scope=\"col\">questions</th>"
				"<th scope=\"col\">precision</th><th scope=\"col\">recall</th>"
				"<th scope=\"col\">F1</th></tr>\n");
	for (size_t i = 0; i < task->label_count; i++) {
		const struct label_figures *label = &task->figures->labels[i];
		buffer_add_string(page, "<tr>");
		add_cell(page, "th scope=\"row\"", task->labels[i]);
		buffer_add_format(page,
			"<td>%zu</td><td>%.1f %%</td><td>%.1f %%</td><td>%.3f</td></tr>\n",
			label->truth, label->precision * 100, label->recall * 100, label->f1);
	}
	buffer_add_string(page, "</table>\n");
}

static void add_mistakes(
	struct buffer *page, const struct report *report, size_t kind, const char *what)
{
	struct report_mistake mistakes[REPORT_MISTAKES_PAGE];
	size_t count = report_mistakes(report->evaluation, kind, mistakes, REPORT_MISTAKES_PAGE);
	if (count == 0)
		return;
	buffer_add_format(page,
		"<details><summary>%zu %s</summary><table class=\"words\">\n<tr>"
		"<th scope=\"col\">line</th><th scope=\"col\">right</th><th scope=\"col\">decided"
		"</th><th scope=\"col\">confidence</th><th scope=\"col\">question</th></tr>\n",
		count, what);
	for (size_t i = 0; i < count && i < REPORT_MISTAKES_PAGE; i++) {
		const struct report_mistake *one = &mistakes[i];
		buffer_add_format(page, "<tr><td>%zu</td>", one->question->place.line);
		add_cell(page, "td", one->wanted);
		add_cell(page, "td", one->found);
		if (isnan(one->confidence))
			buffer_add_string(page, "<td></td><td>");
		else
			buffer_add_format(page, "<td>%.2f</td><td>", one->confidence);
		add_escaped(page, one->question->text);
		buffer_add_string(page, "</td></tr>\n");
	}
	buffer_add_string(page, "</table>\n");
	if (count > REPORT_MISTAKES_PAGE)
		buffer_add_format(page, "<p>… and %zu more</p>\n", count - REPORT_MISTAKES_PAGE);
	buffer_add_string(page, "</details>\n");
}

static void add_task(struct buffer *page, const struct report *report, size_t index)
{
	const struct task_evaluation *task = &report->evaluation->tasks[index];
	const struct classification *figures = task->figures;
	if (figures == NULL)
		return;
	buffer_add_format(
		page, "<h2>The %s of %zu questions</h2>\n<table>\n", task->name, figures->count);
	add_figure(page, "accuracy", figures->accuracy, true);
	add_figure(page, "macro F1", figures->macro_f1, false);
	add_figure(page, "macro recall", figures->macro_recall, true);
	add_figure(page, "calibration error", figures->calibration_error, false);
	buffer_add_string(page, "</table>\n<div class=\"plots\"><div>\n");
	add_confusion(page, task);
	add_labels(page, task);
	buffer_add_string(page, "</div>\n");
	if (!isnan(figures->calibration_error))
		add_reliability(page, figures);
	buffer_add_string(page, "</div>\n");
	add_mistakes(page, report, index, "wrong decisions");
}

static void add_ranks(struct buffer *page, const struct retrieval *retrieval)
{
	enum { BARS = 11 }; /* ten ranks and the rest */
	char title[80];
	open_plot(page, "Ranks", "rank of the right article", "questions", 1, false);
	for (size_t bar = 0; bar < BARS; bar++) {
		size_t questions = bar < BARS - 1 ? retrieval->ranks[bar + 1] : retrieval->ranks[0];
		char name[12] = "later";
		for (size_t rank = BARS; bar == BARS - 1 && rank <= RETRIEVAL_RANKS; rank++)
			questions += retrieval->ranks[rank];
		if (bar < BARS - 1)
			(void)snprintf(name, sizeof name, "%zu", bar + 1);
		(void)snprintf(title, sizeof title, "%s: %zu questions", name, questions);
		add_bar(page, (double)bar / BARS, (double)(bar + 1) / BARS,
			(double)questions / (double)retrieval->count, title);
		buffer_add_format(page,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x_of(((double)bar + 0.5) / BARS), TOP + SIDE + 16, name);
	}
	close_plot(page, "Where the article that answers stands among those found.");
}

static void add_coverage(struct buffer *page, const struct evaluation *evaluation)
{
	const struct coverage_curve *curve = &evaluation->curve;
	double highest = evaluation->max_wrong * 1.5;
	for (size_t i = 0; i < curve->count; i++)
		highest = fmax(highest, curve->points[i].risk);
	double top = fmin(ceil(fmax(highest, 0.05) * 20) / 20, 1);
	double wish = fmin(evaluation->max_wrong, top);
	open_plot(page, "Risk and coverage", "answered", "wrong answers", top, true);
	buffer_add_format(page,
		"<line class=\"wish\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n"
		"<polyline class=\"curve\" points=\"",
		x_of(0), x_of(1), y_of(wish / top), y_of(wish / top));
	for (size_t i = 0; i < curve->count; i++)
		buffer_add_format(page, "%s%.1f,%.1f", i > 0 ? " " : "",
			x_of(curve->points[i].coverage), y_of(curve->points[i].risk / top));
	buffer_add_string(page, "\"/>\n");
	if (evaluation->chosen < curve->count) {
		const struct coverage_point *point = &curve->points[evaluation->chosen];
		buffer_add_format(page,
			"<circle class=\"chosen\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>threshold "
			"%g: %.1f %% answered, %.1f %% of them wrong</title></circle>\n",
			x_of(point->coverage), y_of(point->risk / top), evaluation->threshold,
			point->coverage * 100, point->risk * 100);
	}
	close_plot(page, "The more questions are answered, the more answers are wrong. The dashed "
			 "line is what may be wrong, the dot what was chosen.");
}

static void add_choice(struct buffer *page, const struct report *report)
{
	const struct evaluation *evaluation = report->evaluation;
	const struct coverage_curve *curve = &evaluation->curve;
	if (evaluation->chosen == curve->count) {
		buffer_add_format(page,
			"<p class=\"missed\">No threshold keeps the wrong answers at %g %% or "
			"less.</p>\n",
			evaluation->max_wrong * 100);
		return;
	}
	const struct coverage_point *point = &curve->points[evaluation->chosen];
	buffer_add_format(page,
		"<p>At most %g %% wrong: the threshold <b>%g</b> answers %.1f %% of the questions, "
		"and %.1f %% of the answers are wrong.",
		evaluation->max_wrong * 100, evaluation->threshold, point->coverage * 100,
		point->risk * 100);
	if (report->node != NULL) {
		buffer_add_string(page, " It is set in ");
		add_text(page, report->workflow);
		buffer_add_string(page, ", nodes, ");
		add_text(page, report->node);
		buffer_add_format(page, ": <code>options: {%s: %g}</code>", report->option,
			evaluation->threshold);
	}
	buffer_add_string(page, "</p>\n");
}

static void add_search(struct buffer *page, const struct report *report)
{
	const struct evaluation *evaluation = report->evaluation;
	const struct retrieval *retrieval = &evaluation->retrieval;
	if (evaluation->curve.count == 0)
		return;
	buffer_add_format(page, "<h2>The search, with %zu questions</h2>\n<p>Articles: ",
		evaluation->curve.questions);
	add_text(page, report->articles);
	buffer_add_string(page, "</p>\n<table>\n");
	if (retrieval->count > 0) {
		add_figure(page, "recall@1", retrieval->recall_1, true);
		add_figure(page, "recall@3", retrieval->recall_3, true);
		add_figure(page, "recall@5", retrieval->recall_5, true);
		add_figure(page, "MRR", retrieval->mrr, false);
	}
	add_figure(page, "as configured, finds nothing where no article answers",
		evaluation->abstained, true);
	add_figure(page, "as configured, finds something where an article answers",
		evaluation->answered, true);
	add_figure(page, "area under risk and coverage", evaluation->curve.area, false);
	buffer_add_string(page, "</table>\n<div class=\"plots\">\n");
	if (retrieval->count > 0)
		add_ranks(page, retrieval);
	add_coverage(page, evaluation);
	buffer_add_string(page, "</div>\n");
	add_choice(page, report);
	add_mistakes(page, report, REPORT_SEARCH, "wrong first articles");
	add_mistakes(page, report, REPORT_ABSTENTION,
		"answered although no article does, or the other way round");
}

static void add_minimums(struct buffer *page, const struct report *report)
{
	if (report->minimum_count == 0)
		return;
	buffer_add_string(page, "<h2>Minimums</h2>\n<table><tr><td></td><th scope=\"col\">measured"
				"</th><th scope=\"col\">at least</th></tr>\n");
	for (size_t i = 0; i < report->minimum_count; i++) {
		const struct minimum *minimum = &report->minimums[i];
		buffer_add_format(page, "<tr%s><th scope=\"row\">%s</th>",
			report_reached(minimum) ? "" : " class=\"missed\"", minimum->figure->name);
		if (isnan(minimum->value))
			buffer_add_string(page, "<td>unknown</td>");
		else
			buffer_add_format(page, "<td>%.4f</td>", minimum->value);
		buffer_add_format(page, "<td>%g</td></tr>\n", minimum->least);
	}
	buffer_add_string(page, "</table>\n");
}

void report_html(const struct report *report, struct buffer *page)
{
	const struct evaluation *evaluation = report->evaluation;
	buffer_add_string(page,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<title>Quality: ");
	add_text(page, report->file);
	buffer_add_format(page,
		"</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>Quality</h1>\n<p>", style);
	add_text(page, report->file);
	buffer_add_format(page, ": %zu questions", evaluation->questions->count);
	if (evaluation->degraded > 0)
		buffer_add_format(page,
			"; <span class=\"missed\">of %zu a node failed, and its on_error "
			"decided</span>",
			evaluation->degraded);
	buffer_add_string(page, "</p>\n");
	add_minimums(page, report);
	for (size_t i = 0; i < QUESTION_TASKS; i++)
		add_task(page, report, i);
	add_search(page, report);
	buffer_add_string(page, "</body>\n</html>\n");
}
