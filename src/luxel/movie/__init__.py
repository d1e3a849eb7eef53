"""Movies: scenes over time, rendered frame by frame, as an .mp4 or as numbered pictures.

from luxel import Renderer, Scene
from luxel.movie import MovieSettings, render_movie, turntable

scene = Scene.load("scene.json")
render_movie(Renderer.from_pretrained("ray-small"), turntable(scene, 120), "round.mp4", MovieSettings(width=640))
"""

from luxel.movie.film import Film, film_of_animation, film_of_file, film_of_folder, turntable
from luxel.movie.rendering import MovieSettings, render_movie

__all__ = [
    "Film",
    "MovieSettings",
    "film_of_animation",
    "film_of_file",
    "film_of_folder",
    "render_movie",
    "turntable",
]
