"""Who is acting, for whom, and may they."""
