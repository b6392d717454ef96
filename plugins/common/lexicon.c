#include "common/lexicon.h"

static const char *const negation[] = {"ain't", "aint", "aren't", "arent", "barely", "can't",
	"cannot", "cant", "couldn't", "couldnt", "didn't", "didnt", "doesn't", "doesnt", "don't",
	"dont", "hadn't", "hardly", "hasn't", "hasnt", "haven't", "havent", "isn't", "isnt",
	"lack*", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere",
	"shouldn't", "unable", "wasn't", "wasnt", "weren't", "werent", "without", "won't", "wont",
	"wouldn't", "wouldnt", NULL};

static const char *const intensifier[] = {"absolutely", "all", "always", "any", "beyond",
	"completely", "constantly", "entire", "entirely", "even", "ever", "every", "extremely",
	"forever", "fully", "highly", "how", "incredibly", "insanely", "just", "literally", "much",
	"only", "over", "quite", "really", "single", "so", "still", "such", "super", "too",
	"totally", "truly", "ultra", "utterly", "very", "way", "whole", NULL};

static const char *const positive[] = {"adorable", "amaz*", "appreciat*", "awesome", "beautiful*",
	"best", "better", "blessed", "bravo", "breeze", "brilliant*", "charming", "cheerful",
	"cheers", "clean", "clever", "comfortable", "congrat*", "cool", "courteous", "cute",
	"delicious", "delight*", "easy", "easily", "efficient*", "elegant*", "enjoy*", "excellent*",
	"excited", "exciting", "exceeded", "fab", "fabulous", "fantastic*", "fave", "favorite",
	"favourite", "fast", "fine", "flawless*", "friendly", "friendliest", "fun", "generous",
	"genius", "gem", "gj", "glad", "good", "gorgeous", "gracious", "grateful", "great",
	"greatest", "happy", "happier", "happily", "heart*", "helpful", "hero", "heroes", "honest",
	"impress*", "incredible", "intuitive", "joy", "kind", "kindness", "kudos", "legend",
	"legends", "lifesaver", "like", "liked", "likes", "love", "loved", "lovely", "loves",
	"loving", "lucky", "magic*", "marvel*", "neat", "nice", "nicely", "nicest", "outstanding",
	"patient", "perfect*", "phenomenal", "pleasant*", "pleased", "pleasure", "polished",
	"polite", "praise", "pretty", "professional", "prompt", "promptly", "proud", "quick",
	"quickly", "recommend*", "reliable", "relief", "relieved", "remarkable", "resolved",
	"respect", "rock", "rocks", "rockstar", "saved", "seamless*", "shoutout", "simple", "slick",
	"smile", "smiling", "smooth*", "solid", "solved", "spectacular", "splendid", "stellar",
	"stunning", "success*", "super", "superb", "superstar", "supportive", "sweet", "terrific",
	"thankful", "thoughtful", "thrilled", "tidy", "top", "treat", "upgrade*", "useful", "warm",
	"welcoming", "well", "win", "winner", "wonder", "wonderful*", "wow", "yay", "yum", "yummy",
	NULL};

static const char *const negative[] = {"abysmal", "appalling", "atrocious", "awful*", "awkward",
	"bad", "badly", "bug", "buggy", "clumsy", "complicated", "confus*", "crap", "crappy",
	"cumbersome", "dead", "dire", "dirty", "dismal", "dodgy", "dreadful", "dull", "expensive",
	"fault", "faulty", "filthy", "garbage", "ghastly", "gross", "horrendous", "horrible",
	"horribly", "horrid", "horrific", "impossible", "inaccurate", "inconvenien*", "inferior",
	"junk", "laggy", "lame", "lousy", "meh", "mediocre", "messy", "misleading", "nasty",
	"nightmare", "outdated", "overpriced", "painful", "painfully", "pointless", "poor",
	"poorly", "rip", "rubbish", "rude", "ruin*", "sad", "sadly", "shabby", "shoddy", "sick",
	"sloppy", "slow", "slower", "sluggish", "subpar", "suck", "sucked", "sucks", "terrible",
	"terribly", "trash", "ugly", "unfair", "unfortunate*", "unfriendly", "unhelpful", "unhappy",
	"unprofessional", "unreliable", "unusable", "useless", "waste", "wasted", "wasting", "weak",
	"weird", "worse", "worst", "worthless", "wrong", NULL};

static const char *const feeling[] = {"afraid", "alarm*", "annoy*", "anxious", "bother*", "bored",
	"boring", "bummed", "bummer", "concern*", "depress*", "desperate*", "devastat*",
	"disappoint*", "dissapoint*", "discourag*", "dissatisf*", "displeas*", "distress*",
	"disturb*", "embarrass*", "exhaust*", "frustrat*", "heartbroken", "helpless", "irritat*",
	"lonely", "miserable", "nervous", "overwhelm*", "panic*", "regret*", "scared", "scary",
	"sigh", "sorry", "stress*", "struggl*", "tired", "tiresome", "troubl*", "uncomfortable",
	"uneasy", "unsatisf*", "upset*", "weary", "worr*", NULL};

static const char *const problem[] = {"abandon*", "block*", "broke", "broken", "cancel*",
	"cancelled", "complain*", "complaint*", "corrupt*", "crash*", "damag*", "declin*", "delay*",
	"denied", "disappear*", "disconnect*", "drop*", "duplicat*", "empty", "error*", "expired",
	"fail*", "fell", "flicker*", "forced", "forgot", "forgotten", "freez*", "froze", "frozen",
	"garbled", "glitch*", "gone", "hack*", "hang*", "hurt*", "ignored", "incorrect*", "issue*",
	"kicked", "lag", "lagging", "lags", "late", "leak*", "locked", "lose", "losing", "loss",
	"lost", "mess", "messed", "mislead", "miss", "missed", "missing", "mistake*", "overcharg*",
	"problem*", "refus*", "reject*", "scrambled", "spam*", "stall*", "stolen", "stopped",
	"stops", "stuck", "timeout", "twice", "unexpected*", "unable", "unresponsive", "vanish*",
	"waited", "waiting", "wiped", NULL};

static const char *const anger[] = {"absurd", "aggressive", "ahole", "anger*", "angry", "appalled",
	"blame", "criminal*", "despicable", "destroy*", "disgrace*", "disgust*", "enough", "enrag*",
	"farce", "fraud*", "fed", "furious*", "fuming", "hate", "hated", "hates", "hatred",
	"hostile", "inexcusable", "infuriat*", "insane", "insult*", "intolerable", "livid",
	"ludicrous", "mad", "madness", "outrag*", "pissed", "pissing", "preposterous", "rage",
	"raging", "rant", "resent*", "revenge", "ridiculous*", "rob", "robbed", "robbery",
	"robbing", "scam*", "scandal*", "seething", "shame*", "shambles", "sickening", "steal*",
	"swindl*", "theft", "thief", "thieves", "thiev*", "unacceptable", "unbelievable",
	"unforgivable", "vile", "wtf", "wth", NULL};

static const char *const contempt[] = {"amateur*", "arrogant", "bonkers", "brainless", "bully",
	"bullies", "bunch", "circus", "clown*", "clueless", "coward*", "crook*", "donkey*", "dumb",
	"dumbest", "dump", "excuse", "excuses", "fool*", "greed*", "hypocrit*", "idiot*",
	"imbecile*", "incompeten*", "jerk*", "joke", "jokers", "joke's", "laughable", "laughing",
	"liar*", "lied", "lies", "loser*", "lying", "lunatic*", "moron*", "muppets", "parasite*",
	"pathetic*", "pretend*", "rats", "rotten", "scum*", "shameful*", "smug", "spineless",
	"stupid*", "vultures", NULL};

static const char *const swearing[] = {"arse", "arsehole*", "ass", "asses", "asshole*", "bastard*",
	"bitch*", "bloody", "bollocks", "bullcrap", "bullshit", "bs", "crap", "crappy", "cunt*",
	"damn*", "dammit", "dick*", "effing", "f", "ffs", "freaking", "frickin*", "fuck*",
	"fucking", "goddamn*", "heck", "hell", "motherf*", "omfg", "piss", "screw", "screwed",
	"shit*", "stfu", "twat*", "wtf", NULL};

static const char *const threat[] = {"attorney*", "bbb", "boycott*", "chargeback*", "court",
	"courts", "dispute", "disputing", "lawsuit*", "lawyer*", "legal", "litigation", "ombudsman",
	"police", "prosecut*", "regulator", "solicitor*", "sue", "suing", "tribunal", "warning",
	NULL};

static const char *const question[] = {"any", "anyone", "are", "can", "could", "did", "do", "does",
	"has", "have", "how", "is", "may", "might", "shall", "should", "was", "what", "what's",
	"whats", "when", "where", "where's", "which", "who", "whose", "will", "would", NULL};

static const char *const acronym[] = {"ai", "aka", "am", "api", "apis", "asap", "atm", "ceo", "cpu",
	"crm", "css", "csv", "dns", "dpa", "erp", "eta", "eu", "eur", "faq", "fyi", "gb", "gbp",
	"gdpr", "gmt", "gpu", "hr", "html", "http", "https", "iban", "id", "ids", "ii", "iii",
	"imap", "ios", "ip", "iso", "it", "jpg", "json", "kb", "kpi", "lan", "lol", "mac", "mb",
	"mfa", "nda", "ok", "omg", "os", "otp", "pc", "pdf", "pdfs", "pin", "pm", "png", "pr", "qa",
	"qr", "ram", "rest", "rss", "saml", "scim", "sdk", "sepa", "sla", "smb", "smtp", "sms",
	"sql", "ssd", "ssl", "sso", "tb", "tls", "totp", "tv", "ui", "uk", "url", "urls", "us",
	"usa", "usb", "usd", "utc", "utf", "vat", "vip", "vm", "vpn", "wifi", "xls", "xlsx", "xml",
	"yaml", "zip", NULL};

const char *const *const lexicon_words[WORDS_KINDS] = {
	[WORDS_NEGATION] = negation,
	[WORDS_INTENSIFIER] = intensifier,
	[WORDS_POSITIVE] = positive,
	[WORDS_NEGATIVE] = negative,
	[WORDS_FEELING] = feeling,
	[WORDS_PROBLEM] = problem,
	[WORDS_ANGER] = anger,
	[WORDS_CONTEMPT] = contempt,
	[WORDS_SWEARING] = swearing,
	[WORDS_THREAT] = threat,
	[WORDS_QUESTION] = question,
	[WORDS_ACRONYM] = acronym,
};

static const char *const thanks[] = {"thank you", "thank u", "thank ya", "thanks", "thanx", "thx",
	"tysm", "ty", "thnx", "many thanks", "much appreciated", "cheers", "grateful",
	"appreciate it", "appreciate the", "appreciate your", NULL};

static const char *const thanks_ahead[] = {"thanks in advance", "thank you in advance",
	"thanks for your help in advance", "many thanks in advance", "thanks ahead",
	"thank you for your help in advance", "thanks beforehand", "thx in advance",
	"appreciate any help", "appreciate your help", "thanks for any help", NULL};

static const char *const positive_phrase[] = {"a joy", "a pleasure", "above and beyond",
	"can't wait", "cant wait", "couldn't be happier", "day made", "five stars", "good job",
	"great job", "great service", "hats off", "high five", "i am a fan", "i love", "i'm a fan",
	"job well done", "just what i needed", "keep it up", "keep up the", "made my day",
	"makes my day", "nice work", "great work", "good work", "nothing but praise", "on point",
	"props to", "so good", "so happy", "so much easier", "spot on", "star of", "thumbs up",
	"top notch", "top class", "we love", "well done", "well made", "works again", "works great",
	"works like a charm", "works now", "works perfectly", "you guys are great", "you guys rock",
	"you rock", "you're the best", "you are the best", "the best", "looking forward",
	"shout out", "life saver", "first class", "so easy", "so helpful", "big fan", "huge fan",
	NULL};

static const char *const no_problem[] = {"can't complain", "cannot complain", "hassle free",
	"no bother", "no complaints", "no errors", "no hurry", "no issue", "no issues",
	"no longer slow", "no problem", "no problems", "no rush", "no trouble", "no worries",
	"not a bad", "not a problem", "not a single crash", "not a single problem", "not an issue",
	"not bad", "not urgent", "nothing urgent", "nothing wrong", "without a hitch",
	"without any problem", "without any trouble", "without problems", "without trouble",
	"without a problem", "without any issues", "stress free", "problem solved", "never crashed",
	"never failed", "never had a problem", "never disappoint*", "zero problems", NULL};

static const char *const negative_phrase[] = {"as expected not", "behind schedule", "can no longer",
	"can't get", "can't find", "can't log", "can't open", "can't see", "cannot get",
	"cannot log", "cannot open", "cannot see", "did not arrive", "didn't arrive",
	"does not work", "doesn't help", "doesn't load", "doesn't open", "doesn't work",
	"doesnt work", "don't understand", "fell through", "getting nowhere", "give up",
	"goes nowhere", "hard to", "has not arrived", "hasn't arrived", "have to wait", "i wish",
	"if only", "let down", "let us down", "let me down", "long wait", "makes no sense",
	"needs work", "never again", "never came", "never got", "never received", "no answer",
	"no help", "no idea why", "no longer works", "no luck", "no one answers", "no reply",
	"no response", "not able", "not allowed", "not arrived", "not easy", "not good",
	"not great", "not happy", "not helpful", "not impressed", "not right", "not satisfied",
	"not what i", "not working", "not worth", "nothing happens", "on hold", "out of order",
	"run around", "runaround", "should not", "shouldn't have", "shut down", "stopped working",
	"stops working", "supposed to", "too expensive", "too long", "too much", "too slow",
	"turned out", "used to work", "wait time", "was told", "we lost", "i lost", "won't load",
	"won't open", "won't start", "won't let", "wont let", "wouldn't let", "won't work",
	"still no", "still not", "still waiting", "still can't", "still hasn't", "still haven't",
	"still doesn't", NULL};

static const char *const repeated[] = {"a third time", "again and again", "all over again",
	"already told", "already wrote", "asked before", "at least three times", "every day",
	"every single", "every time", "everytime", "fifth time", "five times", "for the last time",
	"four times", "fourth time", "has happened before", "how many more", "how many times",
	"how often do i", "keep telling", "keeps happening", "many times", "multiple times",
	"nth time", "once again", "once more", "over and over", "second time", "several times",
	"six times", "sixth time", "same problem again", "ten times", "tenth time", "third time",
	"third ticket", "third mail", "third email", "three times", "time and again",
	"time after time", "times now", "twice already", "yet again", "yet another", NULL};

static const char *const duration[] = {"a week ago", "all afternoon", "all day", "all morning",
	"all night", "all week", "days ago", "days and", "days now", "for a month", "for a week",
	"for ages", "for an hour", "for days", "for hours", "for months", "for over a", "for weeks",
	"for years", "half an hour", "hours late", "hours on", "hours now", "hr delay",
	"hour delay", "hours of", "hr late", "hrs late", "last week", "minutes on", "months now",
	"since friday", "since last", "since monday", "since the update", "since this morning",
	"since thursday", "since tuesday", "since wednesday", "since yesterday", "the whole day",
	"two weeks", "three weeks", "weeks ago", "weeks now", "whole day", NULL};

static const char *const demand[] = {"answer me", "explain yourself*", "fix it", "fix this",
	"fix your", "get it together", "get your act", "give me back", "give me my money",
	"give my money", "i demand", "we demand", "i expect", "i insist", "i want a manager",
	"i want a refund", "i want an answer", "i want it now", "i want my", "immediately",
	"money back now", "my money back", "now or", "pay me back", "refund me", "refund now",
	"right now", "sort it out", "sort this out", "stop ignoring", "stop it", "stop sending",
	"stop lying", "this instant", "this minute", "want my money", "within the hour", "wake up",
	"do your job", "do something", "last chance", NULL};

static const char *const threat_phrase[] = {"bad review", "cancel everything",
	"cancel my account today", "charge back", "consumer protection",
	"data protection authority", "going to the press", "goodbye", "hear from", "i'm leaving",
	"i am leaving", "i am done", "i'm done", "im done", "leaving you", "legal action",
	"lost a customer", "lost me", "my bank will", "never again", "never buy", "never fly",
	"never use", "never using", "one star", "or else", "or i", "or we", "paying customer",
	"see you in court", "small claims", "take my business", "taking my business",
	"tell everyone", "to court", "trading standards", "warn everyone", "warn others",
	"we are done", "we're done", "we are gone", "we are leaving", "we're leaving",
	"will not pay", "won't pay", "you will hear", "you'll hear", "you'll regret", NULL};

static const char *const anger_phrase[] = {"a disgrace", "a joke", "a slap in the face",
	"a waste of", "are you blind", "are you kidding", "are you people", "are you serious",
	"are you stupid", "are you even", "as usual", "customer service is", "do you even",
	"do you people", "do you think", "does anyone there", "does anybody there",
	"don't you dare", "enough is enough", "fed up", "for fuck", "for god's sake",
	"for heaven's sake", "for the love of", "get lost", "go to hell", "had enough",
	"had it with", "has anyone", "have some", "how dare", "how hard", "how difficult",
	"how is this", "i give up", "i'm sick of", "is this a joke", "it's a joke", "it is a joke",
	"makes me sick", "no excuse", "none of you", "of all time", "on purpose", "people like you",
	"piece of", "ripped off", "ripping off", "rip off", "ripoff", "serious company",
	"sick and tired", "sick of", "shame on", "so called", "shut up", "such a joke", "the hell",
	"the worst", "this is nuts", "this is insane", "tired of", "too much to ask",
	"utter garbage", "waste of", "what a joke", "what a mess", "what do i pay",
	"what do we pay", "what am i paying", "what are we paying", "what is wrong with",
	"what kind of", "what the", "what's wrong with", "whats wrong with", "what sort of",
	"worst company", "worst service", "you people", "you call", "you clowns", "you had one job",
	"you idiots", "you lot", "you should be", "you stole", "your fault", "your lies",
	"your incompetence", "your nonsense", "your stupid", "bunch of", NULL};

static const char *const sarcasm[] = {"bang up job", "best joke", "bravo for", "brilliant work",
	"congratulations on", "congrats on", "excellent work", "fantastic job", "genius move",
	"good luck with", "great another", "great job", "great now", "great work", "how lovely",
	"how nice of", "just great", "just wonderful", "just perfect", "just what i needed",
	"lovely another", "lucky me", "nice job", "nice one", "nice touch", "oh great", "oh wow",
	"oh good", "oh wonderful", "oh perfect", "oh sure", "real classy", "so called support",
	"thank you for nothing", "thanks a lot", "thanks for nothing", "thanks for wasting",
	"thanks for ruining", "thanks for deleting", "thanks for losing", "very professional",
	"way to go", "well done", "well played", "what a surprise", "what a treat",
	"wonderful another", "yeah right", "very helpful", "slow clap", "clap clap", NULL};

static const char *const request[] = {"can i", "can we", "can you", "could i", "could we",
	"could you", "do i need", "do you have", "do you offer", "do you support", "does it",
	"how can i", "how can we", "how do i", "how do we", "how do you", "how does",
	"how long does", "how many", "how much", "how to", "i need", "i want to know",
	"i would like to", "i'd like to", "is it possible", "is there", "are there", "looking for",
	"may i", "please", "we would like to", "we'd like to", "what are the", "what does",
	"what happens", "what is", "when does", "when is", "when will", "where can i", "where do",
	"where is", "which plan", "would it be", "wondering", "tell me", "let me know",
	"just asking", "just curious", NULL};

const char *const *const lexicon_phrases[PHRASES_KINDS] = {
	[PHRASES_THANKS] = thanks,
	[PHRASES_THANKS_AHEAD] = thanks_ahead,
	[PHRASES_POSITIVE] = positive_phrase,
	[PHRASES_NO_PROBLEM] = no_problem,
	[PHRASES_NEGATIVE] = negative_phrase,
	[PHRASES_REPEATED] = repeated,
	[PHRASES_DURATION] = duration,
	[PHRASES_DEMAND] = demand,
	[PHRASES_THREAT] = threat_phrase,
	[PHRASES_ANGER] = anger_phrase,
	[PHRASES_SARCASM] = sarcasm,
	[PHRASES_REQUEST] = request,
};

const char *const lexicon_smiles[] = {":)", ":-)", "=)", ":D", ":-D", ";)", ";-)", "<3", ":P",
	"(:", "^^", "^_^", "xoxo", "\U0001F600", "\U0001F601", "\U0001F602", "\U0001F603",
	"\U0001F604", "\U0001F605", "\U0001F606", "\U0001F60A", "\U0001F60B", "\U0001F60D",
	"\U0001F60E", "\U0001F917", "\U0001F929", "\U0001F970", "\U0001F973", "\U0001F618",
	"\U0001F642", "\U0001F643", "\U0001F44D", "\U0001F44F", "\U0001F44C", "\U0001F64C",
	"\U0001F64F", "\U0001F389", "\U0001F38A", "\U0001F381", "\U0001F4AF", "\U0001F49A",
	"\U0001F49B", "\U0001F499", "\U0001F49C", "\U0001F495", "\U0001F496", "\U0001F497",
	"\U0001F498", "\U0001F525", "\U0001F31F", "\U00002728", "\U00002764", "\U0001F4AA",
	"\U0001F680", "\U0001F60C", "\U0001F607", "\U0001F609", NULL};

const char *const lexicon_frowns[] = {":(", ":-(", "=(", ":'(", ":/", ":-/", ":\\", ":|", ";(",
	"D:", ":[", "\U0001F61E", "\U0001F614", "\U0001F61F", "\U0001F615", "\U0001F641",
	"\U00002639", "\U0001F623", "\U0001F616", "\U0001F62B", "\U0001F629", "\U0001F622",
	"\U0001F62D", "\U0001F625", "\U0001F630", "\U0001F628", "\U0001F631", "\U0001F613",
	"\U0001F612", "\U0001F62C", "\U0001F610", "\U0001F611", "\U0001F644", "\U0001F494",
	"\U0001F926", "\U0001F937", "\U0001F627", "\U0001F626", "\U0001F97A", "\U0001F612", NULL};

const char *const lexicon_rage[] = {">:(", ">:-(", "\U0001F620", "\U0001F621", "\U0001F92C",
	"\U0001F624", "\U0001F595", "\U0001F4A9", "\U0001F44E", "\U0001F92E", "\U0001F922",
	"\U0001F92F", "\U0001F47F", NULL};
