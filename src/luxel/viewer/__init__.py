"""The live viewer: a scene in the browser, to be looked at and changed. `luxel.viewer.page` puts its parts together."""
