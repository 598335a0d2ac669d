"""The script that Streamlit runs, in a folder of its own: beside `pages` Streamlit would take those for scripts."""
