"""The table of kinds: everything a pocket picture can show, a row each. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

# The colours a shape or a repainted thing can have, then those that only name a natural colour.
PAINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white")
COLOURS = (*PAINTS, "brown", "gray")
HUES = ("red", "yellow", "green", "blue", "purple")  # what an emoji with `paints` can be repainted to


@dataclass(frozen=True)
class Kind:
    """One kind of thing. `colour` is its natural colour if it has a clear one, `paints` the colours it comes in."""

    name: str
    plural: str
    category: str
    emoji: str  # "" for a shape, drawn by code
    colour: str | None = None
    paints: tuple[str, ...] = ()


def _rows(category: str, table: str) -> tuple[Kind, ...]:
    """Rows "name plural emoji [colour | *]"; "*" says that it comes in every colour of `HUES`."""
    kinds = []
    for line in table.strip().splitlines():
        name, plural, emoji, colour = [*line.split(), "-"][:4]
        natural = colour if colour not in ("-", "*") else None
        kinds.append(Kind(name, plural, category, emoji, natural, HUES if colour == "*" else ()))
    return tuple(kinds)


_ANIMALS = """
dog dogs 🐕
cat cats 🐈
cow cows 🐄
horse horses 🐎
pig pigs 🐖 pink
sheep sheep 🐑 white
elephant elephants 🐘 gray
giraffe giraffes 🦒
lion lions 🦁
tiger tigers 🐅
monkey monkeys 🐒 brown
bear bears 🐻 brown
panda pandas 🐼
rabbit rabbits 🐇
owl owls 🦉 brown
penguin penguins 🐧
duck ducks 🦆
rooster roosters 🐓
parrot parrots 🦜
fish fish 🐠
whale whales 🐳 blue
octopus octopuses 🐙
crab crabs 🦀 red
turtle turtles 🐢 green
snake snakes 🐍 green
frog frogs 🐸 green
butterfly butterflies 🦋 orange
bee bees 🐝
snail snails 🐌
camel camels 🐪
"""
_FRUITS = """
apple apples 🍎 red
banana bananas 🍌 yellow
strawberry strawberries 🍓 red
pineapple pineapples 🍍
watermelon watermelons 🍉
cherry cherries 🍒 red
lemon lemons 🍋 yellow
pear pears 🍐 green
coconut coconuts 🥥
"""
_FOODS = """
pizza pizzas 🍕
burger burgers 🍔
taco tacos 🌮
hotdog hotdogs 🌭
cake cakes 🎂
donut donuts 🍩
cookie cookies 🍪 brown
carrot carrots 🥕 orange
egg eggs 🥚
lollipop lollipops 🍭
croissant croissants 🥐
pumpkin pumpkins 🎃 orange
"""
_VEHICLES = """
car cars 🚗 *
bus buses 🚌
truck trucks 🚚
tractor tractors 🚜 green
train trains 🚂
bicycle bicycles 🚲
motorcycle motorcycles 🏍
airplane airplanes ✈
helicopter helicopters 🚁 yellow
rocket rockets 🚀
sailboat sailboats ⛵
ship ships 🚢
"""
_WEATHER = """
sun suns ☀ yellow
moon moons 🌙 yellow
cloud clouds ☁ white
rainbow rainbows 🌈
snowflake snowflakes ❄ blue
snowman snowmen ⛄ white
"""
_BUILDINGS = """
house houses 🏠
castle castles 🏰
church churches ⛪
tent tents ⛺ orange
fountain fountains ⛲
"""
_PLANTS = """
tree trees 🌳 green
palm palms 🌴 green
cactus cactuses 🌵 green
sunflower sunflowers 🌻 yellow
tulip tulips 🌷 *
rose roses 🌹 red
mushroom mushrooms 🍄
"""
_THINGS = """
chair chairs 🪑
bed beds 🛏
lightbulb lightbulbs 💡 yellow
clock clocks ⏰ red
key keys 🔑 yellow
book books 📕 *
umbrella umbrellas ☂ *
hammer hammers 🔨
television televisions 📺
candle candles 🕯 white
cup cups ☕ white
door doors 🚪 brown
camera cameras 📷
laptop laptops 💻
bell bells 🔔 yellow
crown crowns 👑 yellow
hat hats 🎩 black
shoe shoes 👟 blue
backpack backpacks 🎒 *
gift gifts 🎁
trophy trophies 🏆 yellow
"""
_TOYS = """
ball balls ⚽ *
basketball basketballs 🏀 orange
kite kites 🪁
teddy teddies 🧸 brown
robot robots 🤖
balloon balloons 🎈 *
"""
_INSTRUMENTS = """
guitar guitars 🎸 red
drum drums 🥁
trumpet trumpets 🎺 yellow
piano pianos 🎹
"""
SHAPE_NAMES = ("circle", "square", "triangle", "star", "heart", "diamond")
SHAPES = tuple(Kind(name, name + "s", "shape", "", None, PAINTS) for name in SHAPE_NAMES)
EMOJI_KINDS = (
    *_rows("animal", _ANIMALS),
    *_rows("fruit", _FRUITS),
    *_rows("food", _FOODS),
    *_rows("vehicle", _VEHICLES),
    *_rows("weather", _WEATHER),
    *_rows("building", _BUILDINGS),
    *_rows("plant", _PLANTS),
    *_rows("thing", _THINGS),
    *_rows("toy", _TOYS),
    *_rows("instrument", _INSTRUMENTS),
)
KINDS = (*EMOJI_KINDS, *SHAPES)
KIND = {kind.name: kind for kind in KINDS}
CATEGORIES = tuple(dict.fromkeys(kind.category for kind in KINDS))
CATEGORY_PLURALS = {c: {"fruit": "fruits", "weather": "weather"}.get(c, c + "s") for c in CATEGORIES}
SKY_KINDS = frozenset({"sun", "moon", "cloud", "rainbow", "airplane", "helicopter", "kite", "balloon", "rocket"})
