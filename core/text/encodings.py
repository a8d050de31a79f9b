"""In which encoding a file was written.

It is recognised by its byte order mark, else by strict UTF-8, else by charset-normalizer, whose candidates for Chinese are compared by
how ordinary the characters are that come out (Big5 decodes as GB18030 without an error, into garbage). A person can look at a preview
and name the encoding instead.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import charset_normalizer

from core.config import TextConfig
from core.errors import UserError, system_words
from core.i18n import tr

SAMPLE = 1 << 18  # bytes that are looked at to recognise an encoding
BEFORE = 1000  # of them at most before the first one that tells encodings apart
CODECS = {"utf-8": "utf-8-sig", "gb18030": "gb18030", "big5": "big5hkscs", "utf-16": "utf-16", "latin-1": "cp1252"}
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CHINESE_CODECS = {"gb18030": "gb18030", "big5hkscs": "big5", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_WESTERN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœŸ‘’“”–—…•«»¡¿°·€£§©®™ªº \xa0´")
_FAMILIES = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "cp936": "gb18030", "hz": "gb18030", "big5": "big5",
             "big5hkscs": "big5", "cp950": "big5", "latin_1": "latin-1", "cp1252": "latin-1", "iso8859_1": "latin-1"}
# The characters that every second one of ordinary Chinese text is, simplified and traditional.
_ORDINARY = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
    "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点"
    "正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教"
    "儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市"
    "直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死"
    "张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运价格钱买喜欢吃酒店房间服务质东西京快送货包装收本内容作者孩子"
    "這個們來為國說時會對過後裡發經麼學現當沒動還進樣開從實無與長機業將兩間問關點應戰頭體見產話內信給處義幾條氣題爾別變電數"
    "報結務場計資許統區隊決馬書則聽達強難權設記類據邊張該規萬覺術領確傳師觀讓識帶導爭運價錢買歡貨裝實際聲愛親請謝誰嗎吧呢啊"
    "，。！？、：；“”「」（）…《》"
)


@dataclass(frozen=True, kw_only=True)
class EncodingGuess:
    """name: as TextConfig.encoding has it, or another codec of Python's. codec: what to decode with.

    confidence: 0 to 1. how: what it was recognised by, in words. bom: a byte order mark was there.
    """

    name: str
    confidence: float
    how: str
    bom: bool
    codec: str


def guess_encoding(path: Path) -> EncodingGuess:
    """Recognise a file's encoding from its beginning. UserError if the file cannot be read or is not text."""
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(SAMPLE)
            sample, skipped = head, 0
            while sample.isascii() and b"\0" not in sample and (more := file.read(SAMPLE)):
                skipped += len(sample)  # English so far: look on for the first sign that tells encodings apart
                sample = more
            if sign := re.search(rb"[\0\x80-\xff]", sample):
                begin = max(0, sign.start() - BEFORE)
                skipped += begin
                sample = sample[begin:] + file.read(begin)
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)),
                        tr("Check the name and the permissions."), where="files") from error
    for mark, name in MARKS:
        if head.startswith(mark):
            return EncodingGuess(name=name, confidence=1.0, how=tr("byte order mark"), bom=True, codec=CODECS.get(name, name))
    if b"\0" in head or b"\0" in sample:
        return _wide(path, head)
    if _is_utf8(sample, whole=skipped + len(sample) >= size):
        how = tr("only ASCII") if sample.isascii() else tr("valid UTF-8")
        sure = 1.0 if len(sample) > 20 or sample.isascii() else 0.9  # a few bytes may fit by chance
        return EncodingGuess(name="utf-8", confidence=sure, how=how, bom=False, codec="utf-8")
    return _guess(path, sample)


def _is_utf8(sample: bytes, *, whole: bool) -> bool:
    """whole: the sample reaches the file's end. It never begins inside a character: only ASCII stands before it."""
    if len(_CONTROLS.findall(sample)) > len(sample) / 50:
        return False  # Chinese in UTF-16 has such bytes
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(path: Path, head: bytes) -> EncodingGuess:
    """UTF-16 without a mark, or else no text at all."""
    best = max(("utf-16-le", "utf-16-be"), key=lambda codec: _likeness(head, codec))
    score = _likeness(head, best)
    if score < 0.3:
        raise UserError(tr("{path} is not a text file.", path=path.name),
                        tr("Save it as txt, csv, tsv or jsonl; from Word or Excel choose 'save as'."), where="files")
    how = tr("every second byte looks like UTF-16")
    return EncodingGuess(name="utf-16", confidence=round(min(1.0, 0.5 + score / 2), 2), how=how, bom=False, codec=best)


def _guess(path: Path, sample: bytes) -> EncodingGuess:
    """Neither a mark nor UTF-8: Chinese in one of its encodings, or whatever charset-normalizer makes of it."""
    beyond = re.findall(rb"[\x80-\xff]+", sample)  # western languages have one such byte here and there
    letters = len(re.findall(rb"[A-Za-z \n\x80-\xff]", sample))
    sparse = letters > 0.7 * len(sample) and sum(map(len, beyond)) < min(len(sample) / 4, 1.5 * len(beyond))
    if sparse and _readable_as_latin(sample):
        return EncodingGuess(name="latin-1", confidence=0.7, how=tr("single letters of western European languages"), bom=False,
                             codec=CODECS["latin-1"])
    scores = {codec: _likeness(sample, codec) for codec in CHINESE_CODECS}
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    if scores[best] >= 0.3 and scores[best] > 1.15 * scores[second] and not (scores[best] < 0.6 and _is_korean(sample)):
        sure = min(1.0, 2 * (1 - scores[second] / scores[best])) * min(1.0, 0.7 + len(sample) / 300)
        how = tr("Chinese that reads well; the next best reading: {name}", name=CHINESE_CODECS[second])
        return EncodingGuess(name=CHINESE_CODECS[best], confidence=round(sure, 2), how=how, bom=False, codec=best)
    found = charset_normalizer.from_bytes(sample[:SAMPLE // 4]).best()
    if found is None or _CONTROLS.search(str(found).encode()):
        raise UserError(tr("{path} is not a text file, or its encoding is not known.", path=path.name),
                        tr("Save it as UTF-8, or name its encoding."), where="encoding")
    western = found.alphabets and all("Latin" in name or "Control" in name for name in found.alphabets)
    name = "latin-1" if western and _readable_as_latin(sample) else _FAMILIES.get(found.encoding, found.encoding)
    sure = max(0.0, min(0.9, (1 - found.chaos) * max(found.coherence, 0.5)))
    return EncodingGuess(name=name, confidence=round(sure, 2), how=tr("recognised by charset-normalizer"), bom=False,
                         codec=CODECS.get(name, name))


def _readable_as_latin(sample: bytes) -> bool:
    """Whether the signs beyond ASCII are those of western European languages."""
    try:
        beyond = [character for character in sample.decode("cp1252") if not character.isascii()]
    except UnicodeDecodeError:
        return False
    return all(character in _WESTERN for character in beyond)


def _is_korean(sample: bytes) -> bool:
    """Korean decodes as GB18030 into common characters too; but Chinese does not decode as Korean into Hangul alone."""
    text = sample[:SAMPLE // 4].decode("cp949", errors="replace")
    beyond = [character for character in text if not character.isascii()]
    return sum("\uac00" <= character <= "\ud7a3" for character in beyond) > 0.95 * len(beyond)


def _likeness(data: bytes, codec: str) -> float:
    """How much the text looks like what people write, 0 to 1: of the characters that tell (all but ASCII; in UTF-16 all but
    spaces), a very frequent one counts 1, another common one a half. 0 where it cannot be decoded."""
    data = data[:SAMPLE // 4]
    try:
        text = codecs.getincrementaldecoder(codec)("strict").decode(data)
    except UnicodeDecodeError as error:
        if error.start < min(200, len(data) - 4):
            return 0.0
        text = data[:error.start].decode(codec, errors="ignore")  # one damaged place does not make another encoding of it
    wide = codec.startswith("utf-16")
    common = _common()
    told = points = 0.0
    for character in text:
        if character.isascii() and (not wide or character.isspace()):
            continue
        told += 1
        if character in _ORDINARY or (wide and character.isascii() and character.isprintable()):
            points += 1
        elif character in common:
            points += 0.5
    return points / told if told else 0.0


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The characters of the first level, the common ones, of GB2312 and of Big5: codes B0A1 to D7F9 and A440 to C67E."""
    simplified = bytes(byte for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF) for byte in (lead, trail))
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    traditional = bytes(byte for lead in range(0xA4, 0xC7) for trail in trails for byte in (lead, trail))
    return frozenset(simplified.decode("gb2312", errors="ignore") + traditional.decode("big5", errors="ignore"))


def encoding_of(path: Path, config: TextConfig) -> EncodingGuess:
    """The encoding that the person has named, or else the one that is recognised."""
    if config.encoding == "auto":
        return guess_encoding(path)
    codec = CODECS[config.encoding]
    mark = False
    with _open_bytes(path) as file:
        head = file.read(SAMPLE)
        if config.encoding == "utf-16":
            mark = head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            if not mark:
                codec = max(("utf-16-le", "utf-16-be"), key=lambda name: _likeness(head, name))
    return EncodingGuess(name=config.encoding, confidence=1.0, how=tr("chosen"), bom=mark, codec=codec)


def _open_bytes(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(tr("{path} cannot be read: {reason}.", path=path, reason=system_words(error)),
                        tr("Check the name and the permissions."), where="files") from error


def undecodable(path: Path, guess: EncodingGuess) -> UserError:
    """The error for a file that its encoding does not fit; looks for the byte."""
    place = _first_bad_byte(path, guess.codec)
    hint = (tr("Set the encoding to auto, or save the file as UTF-8.") if guess.how == tr("chosen")
            else tr("Choose the encoding yourself, or save the file as UTF-8."))
    message = tr("{path} is not {encoding}: byte {place} does not fit.", path=path.name, encoding=guess.name, place=place)
    return UserError(message, hint, where="encoding")


def _first_bad_byte(path: Path, codec: str) -> int:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    read = 0
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return read - waiting + error.start
            read += len(block)
            if not block:
                return read


def read_text(path: Path, config: TextConfig | None = None) -> str:
    """A whole small file as text, its encoding recognised."""
    guess = encoding_of(Path(path), config) if config else guess_encoding(path)
    try:
        return Path(path).read_bytes().decode(guess.codec)
    except UnicodeDecodeError as error:
        raise undecodable(Path(path), guess) from error


def read_lines(path: Path, config: TextConfig | None = None) -> list[str]:
    """`read_text` in the lines of an open file, without their ends: str.splitlines cuts at U+2028, U+0085 and a form feed too."""
    return [line.removesuffix("\n") for line in io.StringIO(read_text(path, config), newline=None)]
