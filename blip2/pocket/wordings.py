"""How visitors word their questions about what is in the picture: a table of templates a question type.

Wordings are parted by "|". Lines that start with "~" are kept out of training; reports use them to measure wordings
never trained on. `{x}` is a noun, "a {x}" turns to "an {x}" by itself, `{pic}` is any word for the picture; "color"
is also written "colour". Question marks, politeness and slips of one letter are added by `surface`.
"""

from __future__ import annotations

__all__ = ["SEEN", "parse"]


def parse(text: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """A table as {type: (wordings of training, wordings kept out)}."""
    rows: dict[str, tuple[list[str], list[str]]] = {}
    name = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            name = line.strip("[]")
            rows[name] = ([], [])
        else:
            rows[name][line.startswith("~")].extend(line.lstrip("~ ").split(" | "))
    return {key: (tuple(train), tuple(test)) for key, (train, test) in rows.items()}


SEEN = parse("""
[what]
what is this | what's this | what is in the {pic} | what's in the {pic} | what do you see | what can you see
what can you see in the {pic} | what is shown here | what does the {pic} show | name everything you see
which things are in the {pic} | what things do you see | what is there | list the things in the {pic}
what objects are in the {pic}
~ what do you see in this {pic} | what is shown in the {pic} | name the things you can see
[describe]
describe the {pic} | describe this {pic} | please describe what you see | give me a caption
write a caption for this {pic} | caption this | caption the {pic} | tell me about the {pic} | tell me about this {pic}
give a description of the {pic} | what is happening in the {pic} | what's going on here
~ describe what you see | give me a description | write a description of this {pic}
[which]
which {g} is this | what {g} is this | which {g} do you see | what {g} is in the {pic} | which {g} is in the {pic}
what {g} is there | which {g} is it in the {pic} | what kind of {g} is this | what kind of {g} do you see
what sort of {g} is in the {pic} | name the {g} | which {g} is shown
~ what {g} do you see | which {g} can you see | name the {g} in the {pic}
[color]
what color is the {x} | what's the color of the {x} | what is the color of the {x} | which color is the {x}
the {x} is what color | what color does the {x} have | which color does the {x} have | tell me the color of the {x}
what color's the {x} | color of the {x} | do you know the color of the {x} | what color is that {x}
can you tell what color the {x} is
~ which color is that {x} | what is the {x}'s color | can you tell me the color of the {x}
[color_at]
what color is the thing {at} | what's the color of the thing {at} | what color is the one {at}
which color is the thing {at} | what color is the object {at} | what is the color of the object {at}
tell me the color of the thing {at} | what color do you see {at} | the thing {at} is what color
color of the thing {at}
~ which color is the object {at} | what is the color of the one {at}
[count]
how many things are there | how many things do you see | how many things are in the {pic} | how many objects are there
how many objects are in the {pic} | count the things | count the objects | count everything
what is the number of things | how many items do you see | how many things can you see | how many objects do you see
~ how many items are in the {pic} | count the things in the {pic} | how many objects can you see
[count_kind]
how many {xs} are there | how many {xs} do you see | how many {xs} are in the {pic} | how many {xs}
how many {xs} can you see | count the {xs} | how many {xs} are shown | what is the number of {xs} | the number of {xs}
how many {xs} in the {pic} | can you count the {xs} | tell me how many {xs} there are
~ how many {xs} does the {pic} show | tell me the number of {xs} | count the {xs} in the {pic}
[where]
where is the {x} | where's the {x} | where in the {pic} is the {x} | where can i find the {x}
where do you see the {x} | in which part of the {pic} is the {x} | what is the position of the {x} | where is that {x}
tell me where the {x} is | can you find the {x} | where can you see the {x} | in what part of the {pic} is the {x}
where does the {pic} show the {x}
~ where can i see the {x} | can you tell me where the {x} is | tell me the position of the {x}
[at]
what is {at} | what's {at} | what do you see {at} | what is there {at} | what thing is {at} | which thing is {at}
what can you see {at} | what object is {at} | tell me what is {at} | who or what is {at} | what is shown {at}
is there something {at} and what
~ which object is {at} | what can i see {at} | what is in the {pic} {at}
[beside]
what is {rel} the {x} | what's {rel} the {x} | what do you see {rel} the {x} | which thing is {rel} the {x}
what thing is {rel} the {x} | what can you see {rel} the {x} | what is there {rel} the {x}
what object is {rel} the {x} | tell me what is {rel} the {x} | what stands {rel} the {x} | {rel} the {x} is what
what is shown {rel} the {x}
~ which object is {rel} the {x} | what can i see {rel} the {x} | what stands there {rel} the {x}
[next]
what is next to the {x} | what's next to the {x} | what is near the {x} | what is beside the {x}
what is closest to the {x} | what thing is next to the {x} | which thing is nearest to the {x}
what is nearest to the {x} | what do you see next to the {x} | what can you see beside the {x}
what stands next to the {x} | who is next to the {x} | what is close to the {x}
~ what thing is near the {x} | what do you see beside the {x} | what's closest to the {x}
[exist]
is there a {x} | is there a {x} in the {pic} | do you see a {x} | can you see a {x} | is a {x} there
is there a {x} here | does the {pic} show a {x} | does the {pic} have a {x} | is a {x} in the {pic}
are there any {xs} | do you see any {xs} | can you find a {x} | there is a {x}, right | are any {xs} in the {pic}
~ can you see any {xs} | do you see a {x} here | does this {pic} have any {xs}
[relation]
is the {x} {rel} the {y} | is the {x} {rel} the {y} or not | do you see the {x} {rel} the {y}
is it true that the {x} is {rel} the {y} | would you say the {x} is {rel} the {y} | can you see the {x} {rel} the {y}
tell me if the {x} is {rel} the {y} | the {x} is {rel} the {y}, right | is that {x} {rel} the {y}
is the {x} really {rel} the {y} | does the {pic} show the {x} {rel} the {y}
~ is that {x} really {rel} the {y} | can you tell me if the {x} is {rel} the {y}
~ would you say that the {x} is {rel} the {y}
[size]
is the {x} big or small | is the {x} small or big | is the {x} large or small | what size is the {x}
how big is the {x} | how large is the {x} | what is the size of the {x} | which size does the {x} have
what's the size of the {x} | is that {x} big or small | tell me the size of the {x} | is the {x} little or large
~ is that {x} small or large | what size does the {x} have | how small is the {x}
[place]
what place is this | which place is this | where is this | where was this taken | what is the place
what kind of place is this | what is the background | what's the background | where are we | what place do you see
what is in the background | where was the {pic} taken | what place does the {pic} show
~ what kind of place do you see | which place does the {pic} show | where are we here
[is_place]
is this {place} | is it {place} | is the place {place} | does the {pic} show {place}
is that {place} in the background | was this taken {onplace} | are we {onplace} | do you see {place}
is the background {place} | are the things {onplace} | is everything {onplace} | this is {place}, right
~ is this {onplace} | is the {pic} taken {onplace} | does this show {place}
[daytime]
is it day or night | is this day or night | is it night or day | is it day or night in the {pic}
what time of day is it | is the {pic} at day or at night | does the {pic} show day or night
was this taken by day or by night | what time of the day is this | day or night | is it daytime or nighttime
is it bright day or dark night
~ is it nighttime or daytime here | was the {pic} taken at day or at night | which time of day is it
[indoors]
is this indoors or outdoors | is it indoors or outdoors | are we indoors or outdoors | are we inside or outside
is this inside or outside | is it outside or inside | was this taken indoors or outdoors
is the {pic} taken inside or outside | indoors or outdoors | inside or outside | is this place inside or outside
does the {pic} show an inside or an outside
~ is this outdoors or indoors | was the {pic} taken inside or outside | are we outside or inside
[bigger]
which is bigger, the {x} or the {y} | what is bigger, the {x} or the {y} | which one is bigger, the {x} or the {y}
is the {x} or the {y} bigger | which is larger, the {x} or the {y} | what is larger, the {x} or the {y}
who is bigger, the {x} or the {y} | the {x} or the {y}, which is bigger | between the {x} and the {y}, which is bigger
tell me which is bigger, the {x} or the {y}
~ which one is larger, the {x} or the {y} | is the {x} or the {y} larger
[of_color]
what is {c} | what's {c} | which thing is {c} | what thing is {c} | what do you see that is {c}
what in the {pic} is {c} | which object is {c} | what object is {c} | tell me what is {c}
is there something {c} and what
~ what do you see in {c} | what thing in the {pic} is {c}
[else]
what else is there | what else do you see | what else | what else is in the {pic} | what else can you see
anything else | is there anything else | do you see anything else | and what else | what other things are there
what other things do you see | is anything else there
~ can you see anything else | what other things are in the {pic} | and what else is there
""")
