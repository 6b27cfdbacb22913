"""What the pocket models know about the things of their world beyond what can be seen: rows of data, a fact a cell.

Facts belong to kinds, not to pictures: "what does it eat?" is answered from here once the picture or the history has
said what "it" is. A kind without a row in a table has no such fact, and `dialogue` does not ask for it.

    fact("eats", "cow") -> "grass"
"""

from __future__ import annotations

from blip2.pocket.called import LOOKS, SYNONYMS, table
from blip2.pocket.kinds import KIND, KINDS

__all__ = ["CLASSES", "FACTS", "LOOKS", "SYNONYMS", "TOPICS", "fact", "is_a", "why_fact"]


_EATS = table("""
grass: cow sheep
hay: horse
meat: dog lion tiger
fish: cat bear penguin whale
corn: pig rooster duck
leaves: elephant giraffe
bananas: monkey
bamboo: panda
carrots: rabbit
mice: owl snake
seeds: parrot
plants: turtle fish
crabs: octopus
snails: crab
flies: frog
nectar: butterfly bee
salad: snail
dry grass: camel
""")
_SOUND = table("""
woof: dog
meow: cat
moo: cow
neigh: horse
oink: pig
baa: sheep
trumpet: elephant
roar: lion tiger
growl: bear
hoot: owl
quack: duck
crow: rooster
squawk: parrot
hiss: snake
croak: frog
buzz: bee
honk: car bus truck
ring: bell clock
boom: drum
toot: trumpet train
""")
_LIVES = table("""
in a house: dog cat
on a farm: cow horse pig sheep rooster
on the savanna: elephant giraffe lion
in the jungle: tiger monkey parrot
in the forest: bear owl
in the mountains: panda
in a burrow: rabbit
on the ice: penguin
in a pond: duck frog
in the sea: fish whale octopus turtle
at the shore: crab
in the grass: snake
in a garden: butterfly snail
in a hive: bee
in the desert: camel
""")
_LEGS = table("""
four: dog cat cow horse pig sheep elephant giraffe lion tiger bear panda rabbit turtle frog camel chair bed
two: owl penguin duck rooster parrot
zero: fish whale snake snail
six: butterfly bee
eight: octopus
ten: crab
""")
_WHEELS = table("""
four: car bus tractor
six: truck
two: bicycle motorcycle
zero: rocket sailboat ship chair house apple dog cat
""")
_BABY = table("""
a puppy: dog
a kitten: cat
a calf: cow elephant whale
a foal: horse
a piglet: pig
a lamb: sheep
a cub: lion tiger bear panda
a bunny: rabbit
a chick: owl penguin rooster
a duckling: duck
a tadpole: frog
a caterpillar: butterfly
""")
_USE = table("""
sitting: chair
sleeping: bed tent
light: lightbulb candle
telling the time: clock
opening doors: key
reading: book
staying dry: umbrella
hitting nails: hammer
watching shows: television
drinking: cup
taking pictures: camera
working: laptop
ringing: bell
wearing: crown hat shoe
carrying things: backpack truck
playing: ball basketball kite teddy robot balloon
making music: guitar drum trumpet piano
flying: airplane helicopter
driving: car bus
farming: tractor
traveling: train ship
riding: bicycle motorcycle
going to space: rocket
sailing: sailboat
living: house
praying: church
""")
_TASTE = table("""
sweet: apple banana strawberry pineapple watermelon cherry pear coconut cake donut cookie lollipop
sour: lemon
salty: pizza burger taco hotdog
""")
_GROWS = table("""
on a tree: apple banana cherry lemon pear coconut
on the ground: strawberry pineapple watermelon pumpkin
under the ground: carrot
""")
_FAST = table("""
fast: car train motorcycle airplane helicopter rocket horse tiger lion
slow: snail turtle tractor
""")
_TEMPERATURE = table("""
hot: sun candle
cold: snowflake snowman
""")

_CLASS = table("""
mammal: dog cat cow horse pig sheep elephant giraffe lion tiger monkey bear panda rabbit whale camel
bird: owl penguin duck rooster parrot
insect: butterfly bee
reptile: turtle snake
fish: fish
frog: frog
""")
CLASSES = ("mammal", "bird", "insect", "reptile")

_WINGS = ("owl", "duck", "parrot", "butterfly", "bee", "airplane")
_FLIES = (*_WINGS, "helicopter", "rocket", "kite", "balloon")
_FLIES_UNSURE = {"rooster", "sun", "moon", "cloud", "rainbow", "snowflake"}
_ALIVE_UNSURE = {"fruit", "food", "weather", "shape"}
_EDIBLE = {"fruit", "food"}
_EDIBLE_NEVER = {"vehicle", "building", "thing", "toy", "instrument"}


def _yes_no(yes: set[str], no: set[str]) -> dict[str, str]:
    return {kind.name: "yes" if kind.name in yes else "no" for kind in KINDS if kind.name in yes | no}


_ANIMALS = {kind.name for kind in KINDS if kind.category == "animal"}
_LIVING = _ANIMALS | {kind.name for kind in KINDS if kind.category == "plant"}
_DEAD = {kind.name for kind in KINDS if kind.category not in _ALIVE_UNSURE} - _LIVING
_FOOD = {kind.name for kind in KINDS if kind.category in _EDIBLE}

# Topic -> {kind: answer}. The topic is also the question's type in `dialogue`.
FACTS: dict[str, dict[str, str]] = {
    "eats": _EATS,
    "sound": _SOUND,
    "lives": _LIVES,
    "legs": _LEGS,
    "wheels": _WHEELS,
    "baby": _BABY,
    "use": _USE,
    "taste": _TASTE,
    "grows": _GROWS,
    "fast": _FAST,
    "hot": _TEMPERATURE,
    "alive": _yes_no(_LIVING, _DEAD),
    "edible": _yes_no(_FOOD, {kind.name for kind in KINDS if kind.category in _EDIBLE_NEVER}),
    "fly": _yes_no(set(_FLIES), {kind.name for kind in KINDS if kind.category != "shape"} - _FLIES_UNSURE),
}
TOPICS = tuple(FACTS)


def fact(topic: str, kind: str) -> str | None:
    """The answer about this kind, or None where the table has no such fact."""
    return FACTS[topic].get(kind)


def is_a(kind: str, group: str) -> str | None:
    """Whether a kind belongs to a class ("mammal", asked of animals only) or to a category ("fruit"): yes or no."""
    if group in CLASSES:
        return ("yes" if _CLASS.get(kind) == group else "no") if kind in _ANIMALS else None
    if group == "food" and KIND[kind].category == "fruit":
        return "yes"
    if group == "thing":
        return None
    return "yes" if KIND[kind].category == group else "no"


def why_fact(topic: str, kind: str) -> str | None:
    """The reason behind a yes or no of `FACTS` or `is_a`, where there is a plain one."""
    if topic == "fly" and kind in _WINGS:
        return "because it has wings"
    if topic == "fly" and KIND[kind].category in ("fruit", "building", "plant", "food"):
        return "because it has no wings"
    if topic == "mammal" and kind in _ANIMALS:
        return "because its babies drink milk" if _CLASS.get(kind) == "mammal" else "because its babies drink no milk"
    return None
