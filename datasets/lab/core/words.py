# SPDX-License-Identifier: Apache-2.0
"""words.py: names, text and bytes for what servers hold and clients say; all from the take's generator."""

SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sta", "ber", "ton", "vi", "del", "or", "pan", "qui", "sel", "ta", "un",
             "wes", "xi", "yor", "zen", "fa", "gor", "hel", "in", "jo")
WORDS = (
    "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which "
    "one you were all her she there would their we him been has when who will more no if out so said what up its "
    "about into than them can only other new some could time these two may then do first any my now such like our "
    "over man me even most made after also did many before must through years where much your way well down should "
    "because each just those people how too little state good very make world still own see men work long here get "
    "both between life being under never day same another know while last might us great old year off come since "
    "against go came right used take three report order table river market letter garden station window music "
    "winter paper number answer colour engine bridge doctor island kitchen").split()
TOPS = ("example", "test", "invalid")


class Words:

    def __init__(self, rng):
        self.rng = rng

    def name(self, parts=0):
        return "".join(self.rng.choice(SYLLABLES) for _ in range(parts or self.rng.randint(2, 4)))

    def host(self):
        return ".".join([self.name() for _ in range(self.rng.randint(1, 2))] + [self.rng.choice(TOPS)])

    def sentence(self):
        text = " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(4, 18)))
        return text[0].upper() + text[1:] + "."

    def text(self, size):
        """About size characters of sentences in lines."""
        parts, length = [], 0
        while length < size:
            parts.append(self.sentence())
            length += len(parts[-1]) + 1
        return "\n".join(parts)[:max(1, size)]

    def page(self, size):
        """A page with headings, paragraphs and a few styles."""
        title = self.sentence()
        head = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n"
        body = "".join(f'<p class="{self.name(2)}">{self.text(400)}</p>\n' for _ in range(max(1, size // 420)))
        return head + body + "</body></html>\n"

    def blob(self, size):
        """What compressed files look like."""
        return self.rng.randbytes(size)
