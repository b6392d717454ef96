/* The agent language, tried without a server, with messages that are not in texts/. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

static const struct {
	const char *message, *language;
} cases[] = {
	{"Why can I not download the report?", "en"},
	{"The screen stays white after the login.", "en"},
	{"Somebody else is using my account!", "en"},
	{"Warum kann ich den Bericht nicht herunterladen?", "de"},
	{"Der Bildschirm bleibt nach der Anmeldung wei\xc3\x9f.", "de"},
	{"Jemand anders benutzt mein Konto!", "de"},
	{"Pourquoi est-ce que je ne peux pas t\xc3\xa9l\xc3\xa9"
	 "charger le rapport ?",
		"fr"},
	{"L'\xc3\xa9"
	 "cran reste blanc apr\xc3\xa8s la connexion.",
		"fr"},
	{"Quelqu'un d'autre utilise mon compte !", "fr"},
	{"\xc2\xbfPor qu\xc3\xa9 no puedo descargar el informe?", "es"},
	{"La pantalla se queda en blanco cuando entro.", "es"},
	{"\xc2\xa1Otra persona est\xc3\xa1 usando mi cuenta!", "es"},
	{"Perch\xc3\xa9 non posso scaricare il rapporto?", "it"},
	{"Lo schermo rimane bianco dopo l'accesso.", "it"},
	{"Qualcun altro sta usando il mio account!", "it"},
	{"", "none"},
	{"12345 ???", "none"},
	{"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "none"},
};

int main(void)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{otherwise: none}", &err) == 0);
	int wrong = 0;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ss_test_set_text(host, "message", cases[i].message);
		assert(ss_test_run(host, &err) == SS_DONE);
		const char *language = ss_test_written_text(host, "language");
		if (strcmp(language, cases[i].language) == 0)
			continue;
		wrong++;
		(void)printf("%s is %s, not %s\n", cases[i].message, cases[i].language, language);
	}
	ss_test_host_free(host);
	return wrong > 0;
}
