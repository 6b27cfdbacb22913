"""What kinds look like and what else visitors call them: rows of data, and the reader of such rows."""

from __future__ import annotations

from blip2.pocket.kinds import KIND

__all__ = ["LOOKS", "SYNONYMS", "table"]


def table(text: str) -> dict[str, str]:
    """Lines "value: kind kind ..." as {kind: value}."""
    rows: dict[str, str] = {}
    for line in text.strip().splitlines():
        value, _, kinds = line.partition(":")
        for kind in kinds.split():
            if kind not in KIND or kind in rows:
                raise ValueError(f"{kind!r} is no kind, or has this fact twice")
            rows[kind] = value.strip()
    return rows


# The look of kinds that come in one colour or several but have no single unmistakable one.
LOOKS = table("""
brown: dog horse duck rooster snail coconut donut egg croissant chair hammer
orange: cat giraffe tiger camel hotdog tent
yellow: lion pineapple taco helicopter
black and white: cow panda penguin piano
yellow and black: fish bee
red and white: mushroom
red and green: watermelon
green: parrot tractor
gray: rabbit castle fountain television laptop robot
pink: octopus
blue: bus bicycle airplane ship shoe
red: motorcycle rocket sailboat clock guitar drum
white: house church candle
black: camera
brown and blue: bed
many colors: pizza burger cake lollipop truck train rainbow gift kite
""")

# Other words that visitors use for a kind: "name name/plural".
SYNONYMS: dict[str, tuple[tuple[str, str], ...]] = {
    "dog": (("puppy", "puppies"), ("doggy", "doggies")),
    "cat": (("kitten", "kittens"), ("kitty", "kitties")),
    "horse": (("pony", "ponies"),),
    "pig": (("piggy", "piggies"),),
    "rabbit": (("bunny", "bunnies"), ("hare", "hares")),
    "monkey": (("ape", "apes"),),
    "rooster": (("cock", "cocks"), ("chicken", "chickens")),
    "turtle": (("tortoise", "tortoises"),),
    "snake": (("serpent", "serpents"),),
    "burger": (("hamburger", "hamburgers"),),
    "donut": (("doughnut", "doughnuts"),),
    "cookie": (("biscuit", "biscuits"),),
    "lollipop": (("lolly", "lollies"),),
    "car": (("automobile", "automobiles"),),
    "truck": (("lorry", "lorries"),),
    "bicycle": (("bike", "bikes"),),
    "motorcycle": (("motorbike", "motorbikes"),),
    "airplane": (("plane", "planes"), ("aeroplane", "aeroplanes")),
    "helicopter": (("chopper", "choppers"),),
    "sailboat": (("boat", "boats"),),
    "house": (("home", "homes"),),
    "lightbulb": (("lamp", "lamps"),),
    "television": (("tv", "tvs"), ("telly", "tellies")),
    "cup": (("mug", "mugs"),),
    "laptop": (("computer", "computers"),),
    "gift": (("present", "presents"),),
    "backpack": (("rucksack", "rucksacks"),),
    "clock": (("alarm", "alarms"),),
    "circle": (("disc", "discs"),),
    "heart": (("love heart", "love hearts"),),
}
