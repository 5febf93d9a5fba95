"""HTML about one derivative: a fragment for notebooks, and a self-contained page to hand out.

- `fragments`: `derivation_html(derivation)` and `jacobian_html(J)`, what `_repr_html_` shows;
- `page`: `report_page(derivation)` and `report_of(J, path)`; `sections`: what stands on it;
- `subject`: what a page is about, from a Derivation or from a Jacobian;
- `mathematics`, `matrices`, `pictures`, `graphs`, `tables`, `costs`, `code`: the parts of both;
- `raster`: where a flattened tensor can be nonzero; `markup`: elements; `page.css`: the one style sheet.

Nothing here needs a script, a request, a font or a number of the Jacobian.
"""
