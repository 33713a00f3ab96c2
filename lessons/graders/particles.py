"""Messages with {expected} and {found}, and the particle that fits the last sound of what stands there.

Nothing else in a message is replaced: other braces are an author's text.
"""

from __future__ import annotations

import re
import unicodedata

# Particle as written -> (after a consonant, after a vowel)
_PARTICLES = {"이(가)": ("이", "가"), "은(는)": ("은", "는"), "을(를)": ("을", "를"), "(으)로": ("으로", "로")}
_PLACE = re.compile(r"\{(expected|found)\}(" + "|".join(re.escape(name) for name in _PARTICLES) + ")?")

NONE, RIEUL, OTHER = "", "ㄹ", "*"  # the last sound: a vowel, ㄹ, another consonant

_DIGITS = dict(zip("0123456789", (OTHER, RIEUL, NONE, OTHER, NONE, NONE, OTHER, RIEUL, RIEUL, NONE), strict=True))
_BIG_UNITS = (OTHER, OTHER, OTHER, NONE, OTHER)  # 만 억 조 경 take the place of index 1..4
_LETTERS = {"l": RIEUL, "r": RIEUL, "m": OTHER, "n": OTHER}  # 엘 알 엠 엔; every other letter's name ends in a vowel
_JAMO = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_READ_SYMBOLS = "%+℃°"  # 퍼센트, 플러스, 도
_EXCEPTIONS = {
    "check": NONE, "exit": NONE, "bit": NONE, "repeat": NONE, "github": NONE, "mib": NONE, "kib": NONE, "gib": NONE,
    "be": NONE, "the": NONE, "apache": NONE, "cache": NONE, "recipe": NONE,
}  # fmt: skip


def fill_message(template: str, expected: str, found: str) -> str:
    """``template`` with {expected} and {found} replaced, once: what they hold is never read again."""
    values = {"expected": expected, "found": found}

    def place(match: re.Match[str]) -> str:
        value = values[match[1]]
        return value + (particle(value, match[2]) if match[2] else "")

    return _PLACE.sub(place, template)


def particle(word: str, form: str) -> str:
    """The particle ``form`` (이(가), 은(는), 을(를), (으)로) as it sounds after ``word``."""
    after_consonant, after_vowel = _PARTICLES[form]
    sound = last_sound(word)
    if sound == RIEUL and form == "(으)로":
        return after_vowel
    return after_vowel if sound == NONE else after_consonant


def last_sound(word: str) -> str:
    """NONE, RIEUL or OTHER: how the word ends when it is read aloud in Korean."""
    text = unicodedata.normalize("NFC", word[-200:])
    while text and not text[-1].isalnum() and text[-1] not in _READ_SYMBOLS:
        text = text[:-1]  # quotes, brackets and full stops are silent
    if not text or text[-1] in _READ_SYMBOLS:
        return NONE
    last = text[-1]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return NONE if final == 0 else RIEUL if final == 8 else OTHER
    if last in _JAMO:
        return RIEUL if last == "ㄹ" else OTHER  # 리을, 기역
    if last in _DIGITS:
        return _number_sound(text)
    letters = re.search(r"[A-Za-z]+\Z", text)
    return _latin_sound(letters[0]) if letters else NONE


def _number_sound(text: str) -> str:
    """10 is 십, 300 is 삼백, 20000 is 이만; digits after a point are read one by one."""
    match = re.search(r"(\d[\d,]*\.)?[\d,]*\d\Z", text, re.ASCII)
    if match is None or match[1] or text[-1] != "0":
        return _DIGITS[text[-1]]
    digits = match[0].replace(",", "")
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros == len(digits) or zeros < 4:
        return OTHER  # 영, 십, 백, 천
    return _BIG_UNITS[min(zeros // 4, len(_BIG_UNITS) - 1)]


def _latin_sound(letters: str) -> str:
    """By the common reading of English words and of abbreviations; a guess that is mostly right."""
    word = letters.lower()
    spelled = not re.search(r"[aeiou]", word) or (letters.isupper() and len(letters) <= 3)
    if spelled:
        return _LETTERS.get(word[-1], NONE)
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    if word.endswith(("l", "le")):
        return RIEUL
    consonant = (
        r"[mn]|ng|[mn]e"  # 엔진, 볼륨, 파이프라인
        r"|ck|ic|ook"  # 스택, 퍼블릭, 웹훅
        r"|[aeiou]p|pp"  # 맵, 그룹, 앱
        r"|[aeiou]b"  # 웹, 잡
        r"|(?<![aeo])[aeiu]t|(?<!o)ot|out"  # 포맷, 시크릿, 커밋, 인풋, 스냅샷, 타임아웃
    )
    return OTHER if re.search(f"(?:{consonant})\\Z", word) else NONE
