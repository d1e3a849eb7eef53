"""Networks: the image model of the 2020 lab log and its parts."""
