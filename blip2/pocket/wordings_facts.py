"""How visitors word plain-knowledge questions and follow-ups: tables of templates, as in `wordings`.

In `KNOWN`, `{t}` is what the question is about: "a cow", "the cow", "cows" and so on are filled in by `facts`, and
"it" by follow-ups; verbs are written for one thing. In `FOLLOW`, nothing names the thing: the history does.
"""

from __future__ import annotations

from blip2.pocket.wordings import parse

__all__ = ["FOLLOW", "KNOWN", "TALK"]

KNOWN = parse("""
[eats]
what does {t} eat | what does {t} like to eat | what does {t} usually eat | what is {t} fed | what food does {t} eat
what would {t} eat | what does {t} feed on | what can {t} eat | tell me what {t} eats | what do you feed {t}
which food does {t} like | what is the food of {t}
~ what food does {t} like | which food does {t} eat | what does {t} like to feed on
[sound]
what sound does {t} make | what noise does {t} make | which sound does {t} make | how does {t} sound
what does {t} sound like | what does {t} say | what is the sound of {t} | tell me the sound of {t}
what kind of sound does {t} make | what is the noise of {t} | which noise does {t} make
~ what kind of noise does {t} make | tell me what sound {t} makes | tell me the noise of {t}
[lives]
where does {t} live | where does {t} usually live | where would {t} live | where is the home of {t}
where does {t} have its home | in what place does {t} live | what is the habitat of {t} | tell me where {t} lives
in nature, where does {t} live | where in the world does {t} live | which place does {t} live in
~ in which place does {t} live | tell me the habitat of {t} | in what place does {t} usually live
[legs]
how many legs does {t} have | how many legs has {t} got | how many legs are on {t} | what number of legs does {t} have
tell me how many legs {t} has | count the legs of {t} | the number of legs of {t} | {t} has how many legs
on how many legs does {t} stand | how many legs would {t} have
~ tell me the number of legs of {t} | how many legs does {t} stand on
[wheels]
how many wheels does {t} have | how many wheels has {t} got | how many wheels are on {t}
what number of wheels does {t} have | tell me how many wheels {t} has | count the wheels of {t}
the number of wheels of {t} | {t} has how many wheels | on how many wheels does {t} go
how many wheels would {t} have
~ tell me the number of wheels of {t} | how many wheels does {t} go on
[baby]
what is the baby of {t} called | what is the baby of {t} | what do you call the baby of {t}
how do you call the young of {t} | what is the young of {t} called | what is the young of {t}
what are the babies of {t} called | name the baby of {t} | what name has the baby of {t}
tell me what the baby of {t} is called
~ what do you call the young of {t} | tell me what the young of {t} is called
[use]
what is {t} used for | what is {t} for | what is {t} good for | what do people use {t} for | what do you use {t} for
what can you do with {t} | what is the use of {t} | what is the purpose of {t} | why do people have {t}
what do people do with {t} | tell me what {t} is used for | what does one use {t} for
~ tell me what {t} is good for | what can people do with {t} | what can you use {t} for
[taste]
what does {t} taste like | how does {t} taste | what taste does {t} have | what is the taste of {t}
which taste does {t} have | tell me how {t} tastes | is {t} sweet, sour or salty | what kind of taste does {t} have
how would {t} taste | tell me the taste of {t}
~ tell me what {t} tastes like | is {t} salty, sweet or sour
[grows]
where does {t} grow | where would {t} grow | where do you find {t} growing | on what does {t} grow
tell me where {t} grows | where does {t} usually grow | in nature, where does {t} grow | in what place does {t} grow
how does {t} grow, on a tree | which place does {t} grow in
~ in what place does {t} usually grow | in which place does {t} grow
[fast]
is {t} fast or slow | is {t} slow or fast | how fast is {t} | what speed has {t} | is {t} quick or slow
would you say {t} is fast or slow | tell me if {t} is fast or slow | how quick is {t} | does {t} go fast or slow
does {t} move fast or slow
~ does {t} move slow or fast | tell me how fast {t} is
[hot]
is {t} hot or cold | is {t} cold or hot | is {t} warm or cold | would you say {t} is hot or cold
tell me if {t} is hot or cold | how warm is {t} | how hot is {t} | does {t} feel hot or cold
does {t} feel warm or cold | is {t} cold or warm
~ does {t} feel cold or hot | tell me how hot {t} is
[alive]
is {t} alive | is {t} a living thing | does {t} live or not | is {t} living | would you say {t} is alive
is {t} a live thing | tell me if {t} is alive | can you say that {t} is alive | is {t} alive or not
{t} is alive, right
~ is it true that {t} is alive | would you say {t} is a living thing
[edible]
can you eat {t} | can i eat {t} | can people eat {t} | can one eat {t} | do people eat {t} | is {t} food for people
could i eat {t} | could you eat {t} | is {t} edible | tell me if i can eat {t} | is {t} something to eat
~ could people eat {t} | is {t} something you can eat
[fly]
can {t} fly | does {t} fly | is {t} able to fly | could {t} fly | can {t} fly or not | tell me if {t} can fly
would {t} fly | can you say that {t} flies | does {t} fly in the air | {t} can fly, right
~ could {t} fly in the air | is it true that {t} can fly
[is_a]
is {t} {g} | is {t} {g} or not | would you say {t} is {g} | do you call {t} {g} | tell me if {t} is {g}
{t} is {g}, right | is {t} really {g} | can you say that {t} is {g} | is it true that {t} is {g}
does {t} count as {g}
~ would you call {t} {g} | can you tell me if {t} is {g} | can you say if {t} is {g}
[category]
what kind of thing is {t} | what sort of thing is {t} | what type of thing is {t} | which kind of thing is {t}
what is {t}, a food or an animal | to what group does {t} belong | which group does {t} belong to
tell me what kind of thing {t} is | is {t} an animal, a food or what | in which group is {t}
~ tell me what sort of thing {t} is | what group does {t} belong to
""")

FOLLOW = parse("""
[and]
and the {x} | and the {x} | what about the {x} | how about the {x} | and what about the {x} | and how about the {x}
then the {x} | and that {x} | now the {x} | so what about the {x} | ok, and the {x} | same question for the {x}
also the {x}
~ now what about the {x} | and now the {x} | so how about the {x}
[other]
and the other one | what about the other one | how about the other one | and the other | what about the other
the other one | and what about the other one | and how about the other | now the other one | then the other one
and the other thing | what about the other thing
~ how about the other thing | and now the other one | so what about the other one
[why]
why | why is that | why so | why do you say that | why do you think so | how come | how do you know
how do you know that | what makes you think so | what makes you say that | can you say why | explain | tell me why
~ why do you think that | how come you say that | can you explain why
[many]
how many | how many are there | how many of them | how many of them are there | how many do you see
how many can you see | and how many | how many are in the {pic} | can you count them | count them | tell me how many
~ and how many are there | how many of them do you see | can you tell me how many
""")

TALK = parse("""
[hello]
hi | hello | hey | hi there | hello there | good morning | good evening | hey there | good day | hello you
~ hello hello | hey you
[thanks]
thanks | thank you | many thanks | thank you very much | thanks a lot | great, thanks | ok, thanks | thank you so much
thanks so much | nice, thank you
~ great, thank you | many thanks to you
[bye]
bye | goodbye | bye bye | see you | see you later | good night | bye for now | see you soon | ok, bye | ok, goodbye
~ bye, see you | goodbye for now
[self]
who are you | what are you | tell me about yourself | what can you do | are you a robot | are you a person
what is your job | how do you work | what do you know | introduce yourself
~ tell me what you are | tell me what you can do
""")
