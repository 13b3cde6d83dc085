/* Smiles of total variance within the quotes' bands, free of arbitrage: smile_fit.h; their values: smile_spline.h. */
#include "smile_fit.h"

static ptrdiff_t workspace(ptrdiff_t quotes, ptrdiff_t before) { return skw_smile_workspace(quotes, before); }

static void fit(const skw_smile_problem *problem, double *memory, double *knot, double *variance, double *curvature,
                skw_smile_result *result)
{
    skw_smile_fit(problem, memory, knot, variance, curvature, result);
}

static void evaluate(const skw_smile *smile, const double *k, ptrdiff_t count, double *w, double *slope,
                     double *curvature)
{
    ptrdiff_t i, at = 0;
    for (i = 0; i < count; i++) {
        skw_smile_point p = skw_smile_at(smile, k[i], &at);
        w[i] = p.w;
        slope[i] = p.slope;
        curvature[i] = p.curvature;
    }
}

const skw_variance_smile_loops SKW_NAME(skw_variance_smile) = {workspace, fit, evaluate};
