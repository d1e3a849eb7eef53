"""The pictures of docs/particles.md: a trefoil knot of 2 048, 20 000 and 100 000 points, as `luxel render` makes them.

    python docs/particles_pictures.py

Writes docs/images/points_2048.jpg and its like, and says what processor time each took, from points to picture.
"""

import runpy
import time
from pathlib import Path

from luxel import save_image
from luxel.denoised import denoised

HERE = Path(__file__).parent
WIDTH, HEIGHT = 960, 540


def main(counts: tuple[int, ...] = (2048, 20_000, 100_000)) -> None:
    """Render the benchmark's scenes."""
    cloud = runpy.run_path(str(HERE.parent / "benchmarks" / "point_cloud.py"))["cloud"]
    denoised(cloud(300, 1.0), 16, 16)  # compiles the kernels
    for count in counts:
        started = time.process_time()
        scene = cloud(count, WIDTH / HEIGHT)
        built = time.process_time()
        picture = denoised(scene, WIDTH, HEIGHT)
        rendered = time.process_time()
        save_image(HERE / "images" / f"points_{count}.jpg", picture)
        print(f"{count} points: scene {built - started:.2f} s, picture {rendered - built:.1f} s", flush=True)


if __name__ == "__main__":
    main()
