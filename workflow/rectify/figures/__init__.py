"""The figures: for each its points, as a table, and its drawing."""

from rectify.figures.findings import draw_findings, findings_points
from rectify.figures.gallery import draw_gallery, gallery_points
from rectify.figures.monitors import draw_monitors, monitor_points
from rectify.figures.paper import figure1, figure2, figure3, points1, points2, points3

# by name: (points of a layout, figure of the points and the layout); see rectify.layouts
FIGURES = {
    "figure1": (points1, figure1),
    "figure2": (points2, figure2),
    "figure3": (points3, figure3),
    "monitors": (monitor_points, draw_monitors),
    "gallery": (gallery_points, draw_gallery),
    "findings": (findings_points, draw_findings),
}
