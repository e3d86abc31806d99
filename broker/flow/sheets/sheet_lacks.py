"""What a sheet can lack: one class for each, with its words for the people who write it.

`what` and `remedy` are message ids as those of refusals; `{subject}` is the attribute, company or
contact that a problem is about.
"""

from typing import ClassVar


class Lack:
    """Base of everything that a sheet can lack. Never used itself."""

    what: ClassVar[str]
    remedy: ClassVar[str]


class NoPurpose(Lack):
    what = "The sheet does not say what your service is for."
    remedy = "Write at least one purpose."


class PurposeInOneLanguage(Lack):
    what = "A purpose is not written in both languages."
    remedy = "Write it in Dutch and in English."


class NoCategory(Lack):
    what = "It is not clear what kind of product this is."
    remedy = "Choose a category."


class NoLanguage(Lack):
    what = "It is not clear in which languages your service is."
    remedy = "Choose at least one language."


class NothingSaidOfWorkingWithout(Lack):
    what = "The sheet does not say what works when a school shares nothing but the pseudonym."
    remedy = "Say it in Dutch and in English."


class NoProcessorAgreement(Lack):
    what = "The model of your processor agreement, or its version, is missing."
    remedy = "Choose the model and write its version, such as 4.0."


class NoCountry(Lack):
    what = "It is not clear in which countries you process personal data."
    remedy = "Choose each country, also those of your sub-processors."


class SubProcessorPurposeMissing(Lack):
    what = "It is not clear what {subject} does for you."
    remedy = "Say it in Dutch and in English."


class SubProcessorTwice(Lack):
    what = "{subject} stands on the list of sub-processors twice."
    remedy = "Keep one of the two."


class SubProcessorElsewhere(Lack):
    what = "{subject} works in a country that is not on your list of countries."
    remedy = "Add that country to the list."


class NoGroundOutsideEea(Lack):
    what = "Data go outside the European Economic Area, and it is not clear why they may."
    remedy = "Write by what this is allowed, in Dutch and in English."


class NoRetention(Lack):
    what = "The sheet does not say how long you keep what."
    remedy = "Say it in Dutch and in English."


class NoDpia(Lack):
    what = "You ask for {subject}, by which pupils can be followed, and refer to no DPIA."
    remedy = "Write the title or number of your data protection impact assessment."


class NoContact(Lack):
    what = "There is no address for questions about privacy, or none for data breaches."
    remedy = "Give an address of your company for both."


class ContactUnreachable(Lack):
    what = "A contact has no mail address, telephone number or page."
    remedy = "Give at least one of the three."


class UnknownAttribute(Lack):
    what = "{subject} is no information that schools can share."
    remedy = "Take it out of the sheet."


class AttributeTwice(Lack):
    what = "{subject} is asked twice."
    remedy = "Keep one of the two."


class NotEntitled(Lack):
    what = "You may not ask for {subject}: by it suppliers can follow pupils together."
    remedy = "Take it out of the sheet, or ask the federation for this right."


class NoReason(Lack):
    what = "It is not clear why you ask for {subject}."
    remedy = "Give the reason in Dutch and in English."


class NothingSaidOfStopping(Lack):
    what = "You require {subject}, and the sheet does not say what stops without it."
    remedy = "Say in both languages what does not work then. If all works, do not require it."


class NothingSaidOfMissing(Lack):
    what = "The sheet does not say what somebody misses without {subject}."
    remedy = "Say it in Dutch and in English."


class NothingChanged(Lack):
    what = "This draft says the same as the sheet that is in force."
    remedy = "Change something, or throw the draft away."
