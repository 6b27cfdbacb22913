"""Questions that nothing in the picture or in the taught facts can answer: the right answer is "i don't know".

Two sources: things of a kind that was never taught (ordinary nouns and made-up words), put into the usual wordings by
`dialogue`; and questions about what no picture shows (who took it, names, prices, tomorrow's weather). Part of the
nouns, of the made-up words and of the questions is kept out of training.
"""

from __future__ import annotations

import random
import zlib

from blip2.pocket.kinds import KINDS
from blip2.pocket.wordings import parse

__all__ = ["DONT_KNOW", "HIDDEN", "UNTAUGHT", "made_up"]

DONT_KNOW = "i don't know"

# Ordinary things outside the world: (those of training, those kept out).
_TRAIN_NOUNS = """
zebra kangaroo hippo rhino wolf fox deer goat squirrel hamster mouse rat beaver otter badger hedgehog raccoon skunk
gorilla leopard cheetah jaguar panther hyena donkey buffalo bison moose ostrich flamingo peacock eagle hawk falcon
swan goose turkey pigeon sparrow raven pelican stork shark dolphin seal walrus squid lobster shrimp oyster clam
starfish lizard crocodile alligator dinosaur dragon unicorn spider ant beetle wasp mosquito worm scorpion moth cricket
grape peach plum mango kiwi melon apricot raspberry blueberry avocado tomato potato onion garlic pepper
cucumber lettuce cabbage broccoli spinach bean pea rice bread butter cheese ham bacon sausage steak soup
sandwich noodle pasta sushi pancake waffle muffin pie pudding chocolate candy honey jam sugar salt yogurt juice
wine beer soda table sofa couch desk shelf drawer mirror curtain carpet pillow blanket towel soap
brush comb toothbrush razor scissors needle thread button zipper spoon fork knife plate bowl bottle jar pot pan
kettle oven stove fridge freezer toaster washer vacuum broom bucket mop sponge ladder rope chain nail screw saw drill
wrench shovel rake axe pencil pen eraser ruler paper notebook envelope stamp letter magazine newspaper map globe
necklace bracelet watch glasses scarf glove sock boot sandal shirt jacket coat dress skirt belt tie pants jeans
sweater wallet purse suitcase basket box crate barrel bag canoe ferry submarine tank scooter skateboard tram subway
taxi ambulance van wagon sled parachute bridge tower windmill lighthouse factory school hospital hotel bank library
museum stadium tunnel fence gate roof chimney stairs elevator volcano island river
lake waterfall cave valley path doll puppet puzzle dice chess card marble swing slide violin cello flute harp
trombone saxophone banjo accordion microphone radio telephone keyboard printer screen battery plug wire
boy girl man woman child king queen doctor nurse teacher farmer soldier pirate clown ghost witch wizard angel
vampire zombie alien skeleton mermaid fairy giant knight princess finger hand foot nose ear mouth tooth beard
daisy lily orchid fern ivy bush root acorn pine oak storm thunder lightning fog
wind comet planet satellite meteor
"""
_TEST_NOUNS = """
tapir gecko iguana ferret chipmunk mole porcupine sloth lynx puma wombat emu finch heron toucan vulture trout salmon
eel jellyfish cockroach dragonfly ladybug papaya fig lime radish celery turnip almond walnut cereal omelette lasagna
popcorn syrup vinegar cushion wardrobe mattress bathtub faucet napkin tray jug teapot candlestick hinge hose pliers
crayon stapler folder calendar earring brooch mitten slipper vest apron raincoat tuba clarinet ukulele harmonica
tricycle yacht raft hovercraft limousine pyramid palace barn igloo skyscraper doorbell fireplace hammock statue
meadowlark glacier canyon swamp sailor dentist plumber astronaut robin ninja
"""
UNTAUGHT = {"train": tuple(_TRAIN_NOUNS.split()), "test": tuple(_TEST_NOUNS.split())}

# What no picture shows: {n} is any taught noun. "~" as in `wordings`.
_HIDDEN = """
who took this picture | who took the photo | who made this picture | who drew this | who is the photographer
who painted this | who shot this photo | when was this picture taken | when was this taken | when did this happen
what year is it | what day is it today | what month was this | what is the date | what time is it
what will the weather be tomorrow | what is the weather tomorrow | will it rain tomorrow | will it snow next week
how will the weather be | what is the temperature | how many degrees is it | what is the {n} called
what is the name of the {n} | what's the {n}'s name | does the {n} have a name | what is your name | what's my name
who am i | how old am i | how old are you | how old is the {n} | what age is the {n} | when was the {n} born
how much does the {n} cost | what is the price of the {n} | how expensive is the {n} | what did the {n} cost
who owns the {n} | who bought the {n} | whose {n} is this | who is the owner of the {n} | who made the {n}
where was the {n} made | where was the {n} bought | how heavy is the {n} | what does the {n} weigh
how tall is the {n} in meters | what is the {n} thinking | what does the {n} want | what did the {n} do yesterday
what will the {n} do next | is the {n} happy | is the {n} friendly | what does the {n} dream of
who is the friend of the {n} | which city is this | which country is this | what country is this in
what is the name of this place | what is the capital of france | what is the capital of spain | who is the president
who won the game | what is two plus two | how far is it | how far away is the {n} | how long did it take
what happened before | what will happen next | what happens tomorrow | which camera was used | what is behind the {n}
what is inside the {n} | what is under the ground | who lives here | how many people live here
what does it smell like | what is the phone number | what is the address | tell me a joke | sing a song
tell me a story | what is love | what is the meaning of life | do you like me | do you love the {n}
what is my favorite {n} | which team won | how do i get there | who wrote this | what song is playing
what language is this | what is the news
~ who took this | who made this photo | who painted this picture | when was this photo made | what month is it
~ what day was this | how is the weather tomorrow | will it snow tomorrow | what name does the {n} have
~ what is the {n}'s age | who is the owner of this {n} | what is the cost of the {n} | how much did the {n} cost
~ how much does the {n} weigh | what will the {n} do tomorrow | what is the {n} dreaming of
~ what is the capital of germany | which country was this taken in | what happened yesterday
~ what is the name of the photographer | who is the king of this country | what is my phone number
~ tell me the price of the {n} | who bought this {n}
"""
HIDDEN = dict(zip(("train", "test"), parse(f"[hidden]{_HIDDEN}")["hidden"], strict=True))

_PARTS = """
b bl br c ch cr d dr f fl fr g gl gr h j k kl l m n p pl pr qu r s sk sl sm sn sp st t tr v w y z
a e i o u oo ee ai ou
b ck d f g l m mp n nd ng nk p r rk rt s sh sk st t x zz
"""
_ONSETS, _VOWELS, _CODAS = (line.split() for line in _PARTS.strip().splitlines())
_ENDS = ("", "", "", "le", "er", "y", "o", "ish", "um", "ax", "ie")
_TAUGHT = frozenset(kind.name for kind in KINDS) | frozenset(kind.plural for kind in KINDS)


def made_up(rng: random.Random, split: str) -> str:
    """A word that means nothing, such as "flomp" or "snaikle": those of one split never occur in the other."""
    while True:
        word = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
        if rng.random() < 0.25:
            word += rng.choice(_VOWELS[:5]) + rng.choice(_CODAS)
        word += rng.choice(_ENDS)
        held_out = zlib.crc32(word.encode()) % 5 == 0
        if held_out == (split == "test") and len(word) > 3 and not _near_taught(word):
            return word


def _near_taught(word: str) -> bool:
    """Whether a word is a taught one, or one with a letter or two changed at its end."""
    return word in _TAUGHT or any(len(taught) > 3 and word[:4] == taught[:4] for taught in _TAUGHT)
