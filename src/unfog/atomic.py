from unfog.output.atomic import *
